//! One request to the EC2 or STS Query API: form in, XML out. The host signs it.

use crate::config::{Config, Service};
use crate::fault;
use crate::xml::Element;
use kompox_driver_sdk::form::{self, Form};
use kompox_driver_sdk::http::{Method, Request, Response, Transport, TransportError};
use kompox_driver_sdk::types::Error;

const EC2_VERSION: &str = "2016-11-15";
const STS_VERSION: &str = "2011-06-15";

/// The APIs of one account and region.
pub(crate) struct Client<'a> {
    transport: &'a mut dyn Transport,
    /// The configuration of the call.
    pub(crate) config: &'a Config,
}

impl<'a> Client<'a> {
    /// Sends through `transport` to where `config` says.
    pub(crate) fn new(transport: &'a mut dyn Transport, config: &'a Config) -> Self {
        Self { transport, config }
    }

    /// An EC2 action that only reads: its errors have effect `none`.
    pub(crate) fn read(&mut self, action: &str, form: Form) -> Result<Element, Error> {
        self.query(Service::Ec2, action, form).map_err(Error::read_only)
    }

    /// An EC2 action that changes something.
    pub(crate) fn write(&mut self, action: &str, form: Form) -> Result<Element, Error> {
        self.query(Service::Ec2, action, form)
    }

    /// An STS action; those in use only read.
    pub(crate) fn sts(&mut self, action: &str) -> Result<Element, Error> {
        self.query(Service::Sts, action, Form::new()).map_err(Error::read_only)
    }

    fn query(&mut self, service: Service, action: &str, parameters: Form) -> Result<Element, Error> {
        let version = match service {
            Service::Ec2 => EC2_VERSION,
            Service::Sts => STS_VERSION,
        };
        let mut form = Form::new().with("Action", action).with("Version", version);
        form.append(parameters);
        let request = Request::new(Method::Post, self.config.url(service))
            .body(form::CONTENT_TYPE, form.encode().into_bytes());
        let response = self.transport.send(&request).map_err(TransportError::into_error)?;
        if response.is_success() { document(&response, action) } else { Err(fault::from_response(&response)) }
    }
}

/// A success must be the answer to what was asked: a login page with status 200 is none.
fn document(response: &Response, action: &str) -> Result<Element, Error> {
    let root = Element::parse(&response.body).map_err(|error| {
        unreadable(response, format!("the answer to {action} is not readable XML: {error:?}"))
    })?;
    if root.name().strip_suffix("Response") == Some(action) {
        Ok(root)
    } else {
        Err(unreadable(response, format!("the answer to {action} is a document \"{}\"", root.name())))
    }
}

fn unreadable(response: &Response, message: String) -> Error {
    Error::unreadable(message).detail("httpStatus", response.status.to_string())
}

#[cfg(test)]
mod tests {
    use super::Client;
    use crate::config::Config;
    use kompox_driver_sdk::form::{Form, decode};
    use kompox_driver_sdk::testing::Script;
    use kompox_driver_sdk::types::{Effect, ErrorCode};

    fn config() -> Config {
        Config { region: "us-west-2".into(), ..Config::default() }
    }

    #[test]
    fn a_query_is_a_form_posted_to_the_region() {
        let config = config();
        let mut script = Script::new().answer(200, "<DescribeVolumesResponse/>");
        let form = Form::new().with("Filter.1.Name", "tag:a b");
        Client::new(&mut script, &config).read("DescribeVolumes", form).unwrap();
        let request = &script.requests()[0];
        assert_eq!(request.url, "https://ec2.us-west-2.amazonaws.com/");
        let media_type = "application/x-www-form-urlencoded; charset=utf-8".to_owned();
        assert_eq!(request.headers, [("content-type".to_owned(), media_type)]);
        let body = std::str::from_utf8(&request.body).unwrap();
        assert_eq!(body, "Action=DescribeVolumes&Version=2016-11-15&Filter.1.Name=tag%3Aa+b");
        assert_eq!(decode(body).len(), 3);
    }

    #[test]
    fn effects_differ_between_reading_and_writing() {
        let config = config();
        for (effect, read_code) in
            [(Effect::None, ErrorCode::Unavailable), (Effect::Unknown, ErrorCode::Unavailable)]
        {
            let mut script = Script::new().fail(effect, "ConnectionLost").fail(effect, "ConnectionLost");
            let mut client = Client::new(&mut script, &config);
            let error = client.read("DescribeVolumes", Form::new()).unwrap_err();
            assert_eq!((error.code, error.effect), (read_code, Effect::None));
            assert_eq!(client.write("DeleteVolume", Form::new()).unwrap_err().effect, effect);
        }
    }

    #[test]
    fn a_success_must_be_the_answer_to_the_question() {
        let config = config();
        for body in ["<html/>", "not xml", "<DescribeSnapshotsResponse/>", ""] {
            let mut script = Script::new().answer(200, body);
            let error = Client::new(&mut script, &config).write("CreateVolume", Form::new()).unwrap_err();
            assert_eq!((error.code, error.effect), (ErrorCode::Internal, Effect::Unknown), "{body}");
        }
    }
}
