//! Bounds and words for single requests to the API server. The client itself has no timeout for an
//! answer, since a watch may be silent for minutes.

use std::{error::Error, future::Future, io, time::Duration};

/// Longest wait for the answer to a read or write.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Longest excerpt of the server's message.
const MESSAGE_MAX: usize = 512;

/// The answer, or an error after [`TIMEOUT`].
pub(crate) async fn limited<T>(request: impl Future<Output = kube::Result<T>>) -> kube::Result<T> {
    tokio::time::timeout(TIMEOUT, request).await.unwrap_or_else(|_| {
        let message = format!("no answer within {} s", TIMEOUT.as_secs());
        Err(kube::Error::Service(Box::new(io::Error::new(io::ErrorKind::TimedOut, message))))
    })
}

/// What the server said, without the client's dump of the whole answer.
pub(crate) fn explain(error: &kube::Error) -> String {
    let mut message = match error {
        kube::Error::Api(status) if !status.message.is_empty() => status.message.replace('\n', " "),
        kube::Error::Api(status) => format!("{} {}", status.code, status.reason),
        other => chain(other),
    };
    message.truncate(message.floor_char_boundary(MESSAGE_MAX));
    message
}

/// Every cause, outermost first: the client's own words rarely say more than its type.
pub(crate) fn chain(error: &dyn Error) -> String {
    let (mut words, mut next) = (Vec::new(), Some(error));
    while let Some(error) = next {
        words.push(error.to_string());
        next = error.source();
    }
    // Some repeat their cause.
    words.dedup_by(|next, previous| previous.contains(next.as_str()));
    words.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::core::Status;

    #[test]
    fn the_words_are_the_servers() {
        let refused =
            |message: &str| kube::Error::Api(Status::failure(message, "Invalid").with_code(422).boxed());
        assert_eq!(explain(&refused("spec.size: may\nnot shrink")), "spec.size: may not shrink");
        assert_eq!(explain(&refused("")), "422 Invalid");
        assert_eq!(explain(&refused(&"ä".repeat(600))).len(), MESSAGE_MAX);
    }

    #[test]
    fn a_cause_is_said_once() {
        let inner = io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused");
        let error = kube::Error::Service(Box::new(io::Error::other(inner)));
        assert_eq!(explain(&error), "ServiceError: connection refused");
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_server_is_an_error() {
        let silent = std::future::pending::<kube::Result<()>>();
        let error = limited(silent).await.unwrap_err();
        assert!(matches!(error, kube::Error::Service(_)), "{error}");
        assert!(error.to_string().contains("30 s"), "{error}");
    }
}
