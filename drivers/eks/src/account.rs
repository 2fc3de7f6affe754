//! Who the credentials are, and whether they may do what the driver needs. Read-only.

use crate::client::Client;
use crate::config::Config;
use crate::options::finding;
use crate::tags;
use kompox_driver_sdk::form::Form;
use kompox_driver_sdk::identity::Account;
use kompox_driver_sdk::types::{Error, ErrorCode, Finding, Intent, Severity};

/// `identity.get-account`.
pub(crate) fn get(client: &mut Client<'_>) -> Result<Account, Error> {
    let root = client.sts("GetCallerIdentity")?;
    let result = root.child("GetCallerIdentityResult").unwrap_or(&root);
    let id = result
        .text("Account")
        .ok_or_else(|| Error::unreadable("the answer of STS names no account").read_only())?;
    let arn = result.text("Arn").map(|arn| ("arn".to_owned(), arn.to_owned()));
    Ok(Account { id: Some(id.to_owned()), name: None, attributes: arn.into_iter().collect() })
}

/// `identity.validate-config` with `online`: are the credentials good, and may they act? Actions on a
/// volume that exists (deleting, modifying, taking a snapshot) cannot be tried without one.
pub(crate) fn validate(client: &mut Client<'_>) -> Result<Vec<Finding>, Error> {
    if let Err(error) = get(client) {
        return match error.code {
            ErrorCode::Unauthenticated | ErrorCode::PermissionDenied => {
                Ok(vec![refused("sts:GetCallerIdentity", &error)])
            }
            _ => Err(error),
        };
    }
    let mut findings = Vec::new();
    for (action, form) in dry_runs(client.config)? {
        match client.read(action, form.with("DryRun", "true")) {
            // moto ignores DryRun in the describe actions: that they answer is as good.
            Ok(_) => {}
            Err(error) if error.reason == "DryRunOperation" => {}
            Err(error) if matches!(error.code, ErrorCode::Unauthenticated | ErrorCode::PermissionDenied) => {
                findings.push(refused(&format!("ec2:{action}"), &error));
            }
            Err(error) if error.code == ErrorCode::Unavailable || error.code == ErrorCode::Throttled => {
                return Err(error);
            }
            Err(error) => {
                let message = format!("ec2:{action} could not be tried: {}", error.message);
                findings.push(finding(Severity::Warning, "PreflightInconclusive", "", message));
            }
        }
    }
    Ok(findings)
}

fn refused(action: &str, error: &Error) -> Finding {
    let reason =
        if error.code == ErrorCode::Unauthenticated { "CredentialsRefused" } else { "MissingPermission" };
    let message = format!("the credentials may not call {action}: {} ({})", error.message, error.reason);
    finding(Severity::Error, reason, "credentials", message)
}

/// The create is tried with its tags, as they need a permission of their own.
fn dry_runs(config: &Config) -> Result<[(&'static str, Form); 3], Error> {
    let intent = Intent { name: "k4x-preflight".into(), token: "0".repeat(32), tags: Vec::new() };
    let new_tags = tags::of_new(&intent, config, config.csi_driver(None))?;
    let volume = Form::new()
        .with("AvailabilityZone", format!("{}a", config.region))
        .with("Size", "1")
        .with("VolumeType", "gp3");
    Ok([
        ("DescribeVolumes", Form::new().with("MaxResults", "5")),
        ("DescribeSnapshots", Form::new().with("MaxResults", "5").with("Owner.1", "self")),
        ("CreateVolume", tags::specify(volume, "volume", &new_tags)),
    ])
}

#[cfg(test)]
mod tests {
    use super::{get, validate};
    use crate::client::Client;
    use crate::config::Config;
    use kompox_driver_sdk::testing::Script;
    use kompox_driver_sdk::types::{Effect, ErrorCode, Severity};

    // Captured from moto 5.2.5.
    const IDENTITY: &str = r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><UserId>AKIAIOSFODNN7EXAMPLE</UserId><Account>123456789012</Account><Arn>arn:aws:sts::123456789012:user/moto</Arn></GetCallerIdentityResult><ResponseMetadata><RequestId>FrZve5bHwydt7nl8DOiwQFjstYrqCq8OHJGIGrR82Nc6FFOAB53B</RequestId></ResponseMetadata></GetCallerIdentityResponse>"#;
    const DRY_RUN: &str = "<Response><Errors><Error><Code>DryRunOperation</Code><Message>Request would have succeeded, but DryRun flag is set.</Message></Error></Errors><RequestID>request-id</RequestID></Response>";

    fn code(code: &str) -> String {
        format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>m</Message></Error></Errors></Response>"
        )
    }

    fn config() -> Config {
        Config { region: "us-west-2".into(), ..Config::default() }
    }

    #[test]
    fn the_account_is_asked_of_sts() {
        let config = config();
        let mut script = Script::new().answer(200, IDENTITY).answer(200, "<GetCallerIdentityResponse/>");
        let account = get(&mut Client::new(&mut script, &config)).unwrap();
        assert_eq!(account.id.as_deref(), Some("123456789012"));
        let request = &script.requests()[0];
        assert_eq!(request.url, "https://sts.us-west-2.amazonaws.com/");
        assert_eq!(request.body, b"Action=GetCallerIdentity&Version=2011-06-15");
        let error = get(&mut Client::new(&mut script, &config)).unwrap_err();
        assert_eq!((error.code, error.effect), (ErrorCode::Internal, Effect::None));
    }

    #[test]
    fn permissions_are_tried_without_doing_anything() {
        let config = config();
        let mut script = Script::new()
            .answer(200, IDENTITY)
            .answer(412, DRY_RUN)
            .answer(412, DRY_RUN)
            .answer(412, DRY_RUN);
        assert_eq!(validate(&mut Client::new(&mut script, &config)).unwrap(), []);
        let bodies =
            script.requests().iter().skip(1).map(|request| String::from_utf8(request.body.clone()).unwrap());
        let bodies: Vec<_> = bodies.collect();
        assert_eq!(bodies.len(), 3);
        assert!(bodies.iter().all(|body| body.contains("&DryRun=true")), "{bodies:?}");
    }

    #[test]
    fn what_is_missing_is_found() {
        let config = config();
        let mut script = Script::new()
            .answer(200, IDENTITY)
            .answer(412, DRY_RUN)
            .answer(403, code("UnauthorizedOperation"))
            .answer(400, code("InvalidParameterValue"));
        let findings = validate(&mut Client::new(&mut script, &config)).unwrap();
        let got: Vec<_> =
            findings.iter().map(|finding| (finding.severity, finding.reason.as_str())).collect();
        assert_eq!(
            got,
            [(Severity::Error, "MissingPermission"), (Severity::Warning, "PreflightInconclusive")]
        );
        let mut script = Script::new().answer(403, code("InvalidClientTokenId"));
        let findings = validate(&mut Client::new(&mut script, &config)).unwrap();
        assert_eq!(findings[0].reason, "CredentialsRefused");
    }

    #[test]
    fn an_unreachable_cloud_is_no_finding() {
        let config = config();
        for script in [
            Script::new().fail(Effect::None, "ConnectionRefused"),
            Script::new().answer(200, IDENTITY).answer(503, ""),
        ] {
            let mut script = script;
            let error = validate(&mut Client::new(&mut script, &config)).unwrap_err();
            assert_eq!((error.code, error.effect), (ErrorCode::Unavailable, Effect::None));
        }
    }
}
