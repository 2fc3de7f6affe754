//! What an error answer of EC2 or STS means in the contract's terms.
//!
//! Codes: <https://docs.aws.amazon.com/ec2/latest/devguide/errors-overview.html>; the throttling codes
//! are botocore's. An answer with a 4xx code was refused before acceptance (`none`), except where the
//! table says otherwise; after a 5xx nobody knows (`unknown`).

use crate::xml::Element;
use kompox_driver_sdk::http::Response;
use kompox_driver_sdk::types::{Effect, Error, ErrorCode};

/// Between two snapshots of one volume.
const SNAPSHOT_RATE_MS: u32 = 15_000;
/// Other snapshots must end first.
const SNAPSHOT_QUEUE_MS: u32 = 60_000;
/// EBS allows few modifications of one volume per rolling day and does not say when the next is due.
const MODIFICATION_RATE_MS: u32 = 60 * 60 * 1000;

/// Begins the encoded part of an authorisation failure, which only the account may decode.
const ENCODED_PART: &str = "Encoded authorization failure message";

/// The error of a response that is not a success. Its `reason` is the provider's own code.
pub(crate) fn from_response(response: &Response) -> Error {
    let root = Element::parse(&response.body).ok();
    let (code, message, request_id) = root.as_ref().map_or((None, None, None), read);
    let (kind, effect) =
        code.map_or_else(|| by_status(response.status), |code| classify(code, response.status));
    let reason = code.map_or_else(|| format!("Http{}", response.status), str::to_owned);
    let message = message.map_or_else(|| default_message(&reason), clean);
    let error = Error::new(kind, reason.as_str(), message)
        .effect(effect)
        .detail("httpStatus", response.status.to_string())
        .detail("requestId", request_id.unwrap_or_default());
    let hint = response.retry_after_ms().or_else(|| retry_hint(&reason));
    hint.map_or(error.clone(), |milliseconds| error.retry_after_ms(milliseconds))
}

/// Code, message and request id, in EC2's form (`Response/Errors/Error`) or in STS'
/// (`ErrorResponse/Error`).
fn read(root: &Element) -> (Option<&str>, Option<&str>, Option<&str>) {
    let error = root.child("Errors").unwrap_or(root).child("Error");
    let request_id = root.text("RequestID").or_else(|| root.text("RequestId"));
    (error.and_then(|error| error.text("Code")), error.and_then(|error| error.text("Message")), request_id)
}

fn clean(message: &str) -> String {
    let end = message.find(ENCODED_PART).unwrap_or(message.len());
    message.get(..end).unwrap_or(message).trim().to_owned()
}

fn default_message(reason: &str) -> String {
    format!("AWS answered {reason} without a message")
}

fn by_status(status: u16) -> (ErrorCode, Effect) {
    match status {
        401 => (ErrorCode::Unauthenticated, Effect::None),
        403 => (ErrorCode::PermissionDenied, Effect::None),
        429 => (ErrorCode::Throttled, Effect::None),
        // A proxy on the way answers so after the request went on.
        408 | 500.. => (ErrorCode::Unavailable, Effect::Unknown),
        400..500 => (ErrorCode::Other, Effect::None),
        _ => (ErrorCode::Internal, Effect::Unknown),
    }
}

fn classify(code: &str, status: u16) -> (ErrorCode, Effect) {
    let kind = match code {
        // Volume limits are counted before the token is looked at: an earlier create may have succeeded.
        "VolumeLimitExceeded" => return (ErrorCode::QuotaExceeded, Effect::Unknown),
        // Also while the first request with this token is still being worked on.
        "IdempotentParameterMismatch" | "IdempotentInstanceTerminated" => {
            return (ErrorCode::Conflict, Effect::Unknown);
        }
        "RequestTimeout"
        | "RequestTimeoutException"
        | "InternalError"
        | "InternalFailure"
        | "Unavailable"
        | "ServiceUnavailable" => return (ErrorCode::Unavailable, Effect::Unknown),
        "VolumeInUse" | "InvalidSnapshot.InUse" => ErrorCode::InUse,
        "IncorrectState" | "IncorrectModificationState" => ErrorCode::FailedPrecondition,
        "InvalidParameterRange" => ErrorCode::OutOfRange,
        "InvalidZone.NotFound" | "InvalidVolume.ZoneMismatch" => ErrorCode::InvalidArgument,
        "MaxIOPSLimitExceeded"
        | "SnapshotLimitExceeded"
        | "VolumeModificationSizeLimitExceeded"
        | "ConcurrentSnapshotLimitExceeded"
        | "PendingSnapshotLimitExceeded"
        | "TagLimitExceeded"
        | "ResourceLimitExceeded" => ErrorCode::QuotaExceeded,
        "InsufficientVolumeCapacity" | "InsufficientCapacity" => ErrorCode::OutOfCapacity,
        "AuthFailure"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired" => ErrorCode::Unauthenticated,
        "UnauthorizedOperation"
        | "AccessDenied"
        | "AccessDeniedException"
        | "Blocked"
        | "OptInRequired"
        | "PendingVerification"
        | "OperationNotPermitted" => ErrorCode::PermissionDenied,
        "UnsupportedOperation" | "InvalidAction" => ErrorCode::Unsupported,
        "DryRunOperation" => ErrorCode::Other,
        _ => return classify_family(code, status),
    };
    (kind, Effect::None)
}

/// Codes that come in families.
fn classify_family(code: &str, status: u16) -> (ErrorCode, Effect) {
    const THROTTLED: [&str; 14] = [
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottledException",
        "RequestThrottled",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "LimitExceededException",
        "SlowDown",
        "PriorRequestNotComplete",
        "EC2ThrottledException",
        "SnapshotCreationPerVolumeRateExceeded",
        "VolumeModificationRateExceeded",
    ];
    if THROTTLED.contains(&code) {
        return (ErrorCode::Throttled, Effect::None);
    }
    if code.ends_with(".NotFound") {
        return (ErrorCode::NotFound, Effect::None);
    }
    if status >= 500 {
        return by_status(status);
    }
    let invalid = ["Invalid", "Missing", "Unknown", "Malformed", "ValidationError"];
    if invalid.iter().any(|prefix| code.starts_with(prefix)) || code.ends_with(".Malformed") {
        return (ErrorCode::InvalidArgument, Effect::None);
    }
    if code.starts_with("KMS") || code.contains("KMSKey") {
        return (ErrorCode::FailedPrecondition, Effect::None);
    }
    by_status(status)
}

fn retry_hint(reason: &str) -> Option<u32> {
    match reason {
        "SnapshotCreationPerVolumeRateExceeded" => Some(SNAPSHOT_RATE_MS),
        "ConcurrentSnapshotLimitExceeded" | "PendingSnapshotLimitExceeded" => Some(SNAPSHOT_QUEUE_MS),
        "VolumeModificationRateExceeded" => Some(MODIFICATION_RATE_MS),
        _ => None,
    }
}

/// For changes of an object that is not there.
pub(crate) fn gone(handle: &str) -> Error {
    Error::new(ErrorCode::NotFound, "Gone", format!("{handle} does not exist in this account and region"))
}

#[cfg(test)]
mod tests {
    use super::from_response;
    use kompox_driver_sdk::http::Response;
    use kompox_driver_sdk::types::{Effect, Error, ErrorCode};

    fn answer(status: u16, body: &str) -> Error {
        from_response(&Response { status, headers: vec![], body: body.into() })
    }

    fn ec2(status: u16, code: &str) -> Error {
        let body = format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>m</Message></Error></Errors>\
             <RequestID>r-1</RequestID></Response>"
        );
        answer(status, &body)
    }

    #[test]
    fn every_class_has_its_code_and_effect() {
        use ErrorCode as C;
        for (status, code, kind, effect) in [
            (400, "InvalidVolume.NotFound", C::NotFound, Effect::None),
            (400, "InvalidSnapshot.NotFound", C::NotFound, Effect::None),
            (400, "InvalidParameterValue", C::InvalidArgument, Effect::None),
            (400, "InvalidVolumeID.Malformed", C::InvalidArgument, Effect::None),
            (400, "UnknownVolumeType", C::InvalidArgument, Effect::None),
            (400, "MissingParameter", C::InvalidArgument, Effect::None),
            (400, "InvalidZone.NotFound", C::InvalidArgument, Effect::None),
            (400, "VolumeInUse", C::InUse, Effect::None),
            (400, "InvalidSnapshot.InUse", C::InUse, Effect::None),
            (400, "IncorrectState", C::FailedPrecondition, Effect::None),
            (400, "IncorrectModificationState", C::FailedPrecondition, Effect::None),
            (400, "IdempotentParameterMismatch", C::Conflict, Effect::Unknown),
            (400, "VolumeLimitExceeded", C::QuotaExceeded, Effect::Unknown),
            (400, "SnapshotLimitExceeded", C::QuotaExceeded, Effect::None),
            (400, "TagLimitExceeded", C::QuotaExceeded, Effect::None),
            (400, "InsufficientVolumeCapacity", C::OutOfCapacity, Effect::None),
            (401, "AuthFailure", C::Unauthenticated, Effect::None),
            (403, "SignatureDoesNotMatch", C::Unauthenticated, Effect::None),
            (400, "RequestExpired", C::Unauthenticated, Effect::None),
            (403, "UnauthorizedOperation", C::PermissionDenied, Effect::None),
            (403, "AccessDenied", C::PermissionDenied, Effect::None),
            (400, "UnsupportedOperation", C::Unsupported, Effect::None),
            (400, "KMSKeyDisabled", C::FailedPrecondition, Effect::None),
            (503, "RequestLimitExceeded", C::Throttled, Effect::None),
            (400, "Throttling", C::Throttled, Effect::None),
            (400, "VolumeModificationRateExceeded", C::Throttled, Effect::None),
            (500, "InternalError", C::Unavailable, Effect::Unknown),
            (400, "RequestTimeout", C::Unavailable, Effect::Unknown),
            (502, "Odd", C::Unavailable, Effect::Unknown),
            (400, "Odd", C::Other, Effect::None),
        ] {
            let error = ec2(status, code);
            assert_eq!((error.code, error.effect, error.reason.as_str()), (kind, effect, code), "{code}");
            assert_eq!(error.message, "m");
        }
    }

    #[test]
    fn answers_that_are_not_xml_are_judged_by_status() {
        for (status, kind, effect) in [
            (401, ErrorCode::Unauthenticated, Effect::None),
            (403, ErrorCode::PermissionDenied, Effect::None),
            (404, ErrorCode::Other, Effect::None),
            (408, ErrorCode::Unavailable, Effect::Unknown),
            (429, ErrorCode::Throttled, Effect::None),
            (500, ErrorCode::Unavailable, Effect::Unknown),
            (504, ErrorCode::Unavailable, Effect::Unknown),
            (302, ErrorCode::Internal, Effect::Unknown),
        ] {
            let error = answer(status, "<!doctype html>\n<html lang=en>");
            assert_eq!((error.code, error.effect, error.reason), (kind, effect, format!("Http{status}")));
        }
    }

    #[test]
    fn details_name_the_request() {
        let error = ec2(400, "VolumeInUse");
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(error.details, [pair("httpStatus", "400"), pair("requestId", "r-1")]);
        let sts = answer(
            403,
            "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code><Message>no</Message></Error>\
             <RequestId>r-2</RequestId></ErrorResponse>",
        );
        assert_eq!((sts.code, sts.message.as_str()), (ErrorCode::Unauthenticated, "no"));
        assert_eq!(sts.details, [pair("httpStatus", "403"), pair("requestId", "r-2")]);
    }

    #[test]
    fn the_encoded_authorisation_message_is_dropped() {
        let error = answer(
            403,
            "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not authorized. \
             Encoded authorization failure message: abcdef</Message></Error></Errors></Response>",
        );
        assert_eq!(error.message, "You are not authorized.");
    }

    #[test]
    fn cool_downs_are_told() {
        assert_eq!(ec2(400, "SnapshotCreationPerVolumeRateExceeded").retry_after_ms, Some(15_000));
        assert_eq!(ec2(400, "VolumeModificationRateExceeded").retry_after_ms, Some(3_600_000));
        assert_eq!(ec2(503, "RequestLimitExceeded").retry_after_ms, None);
        let headers = vec![("Retry-After".to_owned(), "2".to_owned())];
        let response = Response { status: 503, headers, body: vec![] };
        assert_eq!(from_response(&response).retry_after_ms, Some(2000));
    }
}
