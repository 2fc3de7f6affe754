//! A second, independent witness: the official AWS SDK for Python asks the double what there is, and
//! plays the machine that attaches a volume.

use super::{AccessKey, Moto};
use anyhow::{Context as _, Result, ensure};
use secrecy::ExposeSecret as _;
use std::path::PathBuf;
use tokio::process::Command;

/// Everything that the witness does; the arguments are the action and its parameters.
const SCRIPT: &str = r#"
import sys, boto3
ec2 = boto3.client("ec2", region_name="us-west-2", endpoint_url=sys.argv[1])
if sys.argv[2] == "tagged":
    filters = [{"Name": "tag:" + sys.argv[3], "Values": [sys.argv[4]]}]
    pages = ec2.get_paginator("describe_volumes").paginate(Filters=filters)
    print("\n".join(sorted(v["VolumeId"] for page in pages for v in page["Volumes"])))
elif sys.argv[2] == "attach":
    image = ec2.describe_images()["Images"][0]["ImageId"]
    zone = ec2.describe_volumes(VolumeIds=[sys.argv[3]])["Volumes"][0]["AvailabilityZone"]
    run = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, Placement={"AvailabilityZone": zone})
    machine = run["Instances"][0]["InstanceId"]
    ec2.attach_volume(VolumeId=sys.argv[3], InstanceId=machine, Device="/dev/sdf")
    print(machine)
"#;

/// The AWS SDK for Python with an administrator's key of the double.
#[derive(Debug)]
pub struct Boto {
    python: PathBuf,
    endpoint: String,
    key: AccessKey,
}

impl Boto {
    /// Uses the double's own Python environment. Makes a user, so call it before there is traffic.
    ///
    /// # Errors
    /// If the user cannot be made.
    pub async fn new(moto: &Moto) -> Result<Self> {
        let all = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        let key = moto.create_user("witness", all).await?;
        Ok(Self { python: super::venv()?.join("bin/python"), endpoint: moto.ec2_url(), key })
    }

    /// Ids of the volumes that carry this tag, sorted.
    ///
    /// # Errors
    /// What the SDK says.
    pub async fn volumes_tagged(&self, tag: &str, value: &str) -> Result<Vec<String>> {
        let output = self.run(&["tagged", tag, value]).await?;
        Ok(output.split_whitespace().map(str::to_owned).collect())
    }

    /// Starts a machine, attaches the volume to it, and returns the machine's id.
    ///
    /// # Errors
    /// What the SDK says.
    pub async fn attach(&self, volume: &str) -> Result<String> {
        Ok(self.run(&["attach", volume]).await?.trim().to_owned())
    }

    async fn run(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new(&self.python)
            .args(["-c", SCRIPT, &self.endpoint])
            .args(arguments)
            .env("AWS_ACCESS_KEY_ID", &self.key.id)
            .env("AWS_SECRET_ACCESS_KEY", self.key.secret.expose_secret())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .kill_on_drop(true)
            .output()
            .await
            .context("failed to run the AWS SDK for Python")?;
        ensure!(output.status.success(), "the AWS SDK says: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
