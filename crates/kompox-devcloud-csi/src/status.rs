//! The service's refusals as the status codes that the CSI specification gives them a meaning for. No retries.

use kompox_devcloud::api::Code;
use kompox_devcloud::client::ClientError;
use tonic::Status;

/// What the caller is told. Where it is unknown whether something happened, the code is one after which the
/// caller asks again with the same name (`UNAVAILABLE`), never one that ends the matter.
#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
pub(crate) fn of_service(error: ClientError) -> Status {
    let text = error.to_string();
    match error.code() {
        Some(Code::InvalidArgument) => Status::invalid_argument(text),
        Some(Code::OutOfRange) => Status::out_of_range(text),
        Some(Code::Unauthenticated) => Status::unauthenticated(text),
        Some(Code::QuotaExceeded) => Status::resource_exhausted(text),
        Some(Code::NotFound) => Status::not_found(text),
        Some(Code::AlreadyExists) => Status::already_exists(text),
        Some(Code::InUse) => Status::failed_precondition(text),
        Some(Code::NotReady) => Status::aborted(text),
        Some(Code::Throttled | Code::Internal) | None => Status::unavailable(text),
    }
}

/// `Ok` where the object is gone already: deleting twice is no error.
pub(crate) fn unless_gone(result: Result<(), ClientError>) -> Result<(), Status> {
    match result {
        Err(error) if error.code() != Some(Code::NotFound) => Err(of_service(error)),
        _ => Ok(()),
    }
}

/// The value of a field that must not be empty.
pub(crate) fn required<'a>(field: &str, value: &'a str) -> Result<&'a str, Status> {
    if value.is_empty() { Err(Status::invalid_argument(format!("{field} is missing"))) } else { Ok(value) }
}
