//! The list itself. Add at the end of a group; never rename a word, never reuse a code.

/// Declares the enum and its tables from one list, so that no part can be forgotten.
macro_rules! reasons {
    ($($code:literal $name:ident: $summary:literal, $remedy:literal;)+) => {
        /// Why an object is in its state: a word for programs, with a code, a summary and a remedy.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $(#[doc = $summary] $name,)+
        }

        impl Reason {
            /// Every reason, sorted by code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The CamelCase word, as in a condition's or event's `reason`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// The code of its page in the reference: `KPX` and four digits.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// What it means, in one sentence.
            pub const fn summary(self) -> &'static str {
                match self { $(Self::$name => $summary,)+ }
            }

            /// What to do about it, in one sentence.
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy,)+ }
            }
        }
    };
}

reasons! {
    "KPX0001" Ready:
        "The object is as asked.",
        "Nothing to do.";
    "KPX0002" Creating:
        "The cloud resource is being created.",
        "Wait; `status.operation` shows the progress where the provider tells it.";
    "KPX0003" Restoring:
        "The content is being restored from its source.",
        "Wait; large disks take minutes.";
    "KPX0004" Provisioning:
        "Objects are being made or changed.",
        "Wait; the message names what is missing.";
    "KPX0005" Deleting:
        "The object is being deleted.",
        "Wait; the message names what holds it back.";
    "KPX0006" Deleted:
        "The cloud resource was deleted.",
        "Nothing to do.";
    "KPX0007" Trashed:
        "The cloud disk waits in the trash until `status.trashedUntil`.",
        "To keep it, adopt its handle with a new KompoxDisk before that time.";
    "KPX0008" Orphaned:
        "The cloud resource was left in place, as `deletionPolicy: Orphan` says.",
        "To use it again, adopt its handle; to stop paying for it, delete it at the provider.";
    "KPX0009" Resizing:
        "The disk is being enlarged or its options changed.",
        "Wait; `status.operation` shows the progress where the provider tells it.";
    "KPX0010" Snapshotting:
        "A snapshot is being taken.",
        "Wait; the condition `Taken` says when the app may start again.";
    "KPX0011" Adopted:
        "An existing resource was taken over.",
        "Nothing to do.";
    "KPX0012" Hibernated:
        "The app is scaled to 0: no pods, disks kept.",
        "Set `spec.replicas` to 1 to run it.";
    "KPX0013" Paused:
        "`spec.paused` holds the operator back.",
        "Remove `spec.paused` to go on.";
    "KPX0014" Protected:
        "The annotation `kompox.dev/protect` forbids destructive steps.",
        "Remove the annotation if the step is wanted.";
    "KPX0015" Available:
        "The workloads have their pods.",
        "Nothing to do.";
    "KPX0016" NotApplicable:
        "The condition does not apply to this object.",
        "Nothing to do.";
    "KPX0101" WaitingForDisk:
        "A KompoxDisk is not ready yet.",
        "Wait, or look at the conditions of the disk that the message names.";
    "KPX0102" WaitingForSnapshot:
        "A KompoxSnapshot is not ready yet.",
        "Wait, or look at the conditions of the snapshot that the message names.";
    "KPX0103" WaitingForWorkloads:
        "Pods are not ready yet.",
        "Wait, or look at the pods and events of the services that the message names.";
    "KPX0104" WaitingForClaim:
        "A PersistentVolumeClaim is not bound yet.",
        "Wait, or look at the events of the claim that the message names.";
    "KPX0105" WaitingForRelease:
        "Something still uses the disk.",
        "Stop the pod or detach the machine that the message names.";
    "KPX0106" WaitingForRoutes:
        "A route has no address yet.",
        "Check that the ingress controller runs and serves the class in `status.ingressClassName`.";
    "KPX1001" UnknownProvider:
        "No driver serves this provider type.",
        "Correct `spec.provider.type`, or add a KompoxDriver that serves it.";
    "KPX1002" AmbiguousProvider:
        "`auto` found no driver or several equally fit ones.",
        "Name one of the types in the message in `spec.provider.type`.";
    "KPX1003" InvalidZone:
        "The provider does not have this zone, or not for this disk.",
        "Set `spec.zone` to one of the zones in the message.";
    "KPX1004" InvalidSize:
        "The provider does not offer this size.",
        "Set `spec.size` inside the bounds that the message names.";
    "KPX1005" InvalidOptions:
        "The driver refuses an option.",
        "Correct the member of `spec.options` that the message names.";
    "KPX1006" InvalidSpec:
        "The spec cannot be carried out as it stands.",
        "Correct the field that the message names.";
    "KPX1007" NotSupported:
        "The provider or its driver cannot do this.",
        "Change the field that the message names, or use another provider.";
    "KPX1008" ConfigNotAllowed:
        "A key of `spec.provider.config` is not granted to tenants.",
        "Remove the key, bring your own credentials, or ask the administrator for `grants.tenantConfigKeys`.";
    "KPX1009" ClassNotFound:
        "The StorageClass or VolumeSnapshotClass does not exist.",
        "Create the class, or name another.";
    "KPX2001" CredentialsMissing:
        "There are no credentials for this provider.",
        "Create the Secret that the message names, or set `credentialsSecretRef` of the KompoxDriver.";
    "KPX2002" CredentialsRefused:
        "The provider does not accept the credentials.",
        "Renew the credentials in the Secret that the message names.";
    "KPX2003" PermissionDenied:
        "The credentials lack a permission.",
        "Grant the permission that the message names at the provider.";
    "KPX2004" QuotaExceeded:
        "A quota of the cloud account is used up.",
        "Raise the quota at the provider, or delete what is not needed.";
    "KPX2005" OutOfCapacity:
        "The provider has no capacity for this now.",
        "Wait, or choose another zone or disk type.";
    "KPX2006" Throttled:
        "The provider asks for fewer requests.",
        "Wait; the operator slows down by itself.";
    "KPX2007" ProviderUnavailable:
        "The provider cannot be reached or answers with an error of its own.",
        "Wait, or check the network and the provider's status page.";
    "KPX2008" AccountChanged:
        "The credentials now belong to another cloud account than the resource.",
        "Bring back the credentials of the account in `status.provider.accountId`.";
    "KPX2009" Conflict:
        "Another operation on the resource is under way.",
        "Wait; the operator tries again.";
    "KPX3001" OwnerMismatch:
        "The cloud resource carries the mark of another owner.",
        "Check which object owns it; nothing is changed until then.";
    "KPX3002" MultipleDisks:
        "Several cloud disks carry the mark of this object.",
        "Keep one: remove the tags of the others, or delete them at the provider.";
    "KPX3003" AlreadyClaimed:
        "The resource to adopt belongs to another living object.",
        "Delete that object with `deletionPolicy: Orphan` first, or adopt another resource.";
    "KPX3004" AdoptionDenied:
        "The driver's grants do not allow this adoption.",
        "Tag the resource with `kompox-adopt=<namespace>/<name>`, or ask the administrator for `grants.adoption`.";
    "KPX3005" AdoptionRequired:
        "A cloud disk of a former object with this name exists.",
        "Adopt it with `spec.source.handle`, or use another name for a new disk.";
    "KPX3006" CreateFailed:
        "The provider could not create the resource.",
        "Follow the provider's message; a corrected spec is tried again.";
    "KPX3007" DiskLost:
        "The cloud disk is gone though nobody deleted it here.",
        "Restore a snapshot into a new KompoxDisk; this one never gets a new, empty disk.";
    "KPX3008" DiskInUse:
        "The disk is in use, so this step must wait.",
        "Stop what the message names.";
    "KPX3009" DiskNotReady:
        "The disk is not ready for use.",
        "Look at the conditions of the disk that the message names.";
    "KPX3010" DiskLocked:
        "Another object holds the lock of the disk.",
        "Release it there, or use another disk.";
    "KPX3011" DiskNotFound:
        "The KompoxDisk does not exist.",
        "Create it, or correct the reference.";
    "KPX3012" ZoneMismatch:
        "The disks of the app, or the disk and the wanted nodes, are in different zones.",
        "Restore a snapshot of the disk into the wanted zone, or change `spec.deployment`.";
    "KPX3013" VolumeConflict:
        "A PersistentVolume or claim exists that is not ours, or was changed by hand.",
        "Remove or repair the object that the message names.";
    "KPX3014" UnmodifiableOption:
        "The provider cannot change this option of an existing disk.",
        "Set it back, or take a snapshot and restore it into a new disk.";
    "KPX3015" CoolingDown:
        "The provider allows the next change of this disk only later.",
        "Wait until the time that the message names.";
    "KPX4001" SourceNotFound:
        "The source does not exist.",
        "Create it, or correct `spec.source`.";
    "KPX4002" SourceNotReady:
        "The source is not ready to be used.",
        "Wait, or look at the conditions of the source that the message names.";
    "KPX4003" SourceTooSmall:
        "`spec.size` is smaller than the source needs.",
        "Set `spec.size` to at least the size in the message.";
    "KPX4004" SnapshotLost:
        "The cloud snapshot is gone though nobody deleted it here.",
        "Take a new snapshot.";
    "KPX4005" SnapshotInUse:
        "The snapshot is being restored, so this step must wait.",
        "Wait until the disks that the message names are ready.";
    "KPX4006" SourceMismatch:
        "The restored resource does not come from the source asked for.",
        "Delete the object and create it again; nothing is used until then.";
    "KPX5001" ComposeInvalid:
        "The Compose file is not valid or uses what is not supported.",
        "Correct the lines in `status.diagnostics`.";
    "KPX5002" ConfigMapMissing:
        "A ConfigMap or a key of it does not exist.",
        "Create the ConfigMap and key that the message names.";
    "KPX5003" SecretMissing:
        "A Secret or a key of it does not exist.",
        "Create the Secret and key that the message names.";
    "KPX5004" FileMissing:
        "The Compose file names a file that has no content.",
        "Add an entry for the path to `spec.files.mounts`.";
    "KPX5005" VolumeNotMapped:
        "A Compose volume has no place.",
        "Add an entry with its name, or the entry `default`, to `spec.volumes`.";
    "KPX5006" NameCollision:
        "Two objects would have the same name, or one exists that is not ours.",
        "Rename the service or volume that the message names, or remove the object.";
    "KPX5007" NamespaceTerminating:
        "The namespace is being deleted.",
        "Nothing can be made here any more; cloud disks are left in place.";
    "KPX5008" SwitchNotSupported:
        "This change of a volume's disk is not supported.",
        "Set `diskRef` back to the disk in `status.volumes`.";
    "KPX5009" DrainTimeout:
        "The old pods did not end in time.",
        "Stop what the message names; nothing is forced.";
    "KPX5010" SwitchAborted:
        "The switch to another disk was taken back.",
        "See the message for why; set `diskRef` again to try once more.";
    "KPX5011" WorkloadFailed:
        "A service cannot run.",
        "Look at the logs and events of the pods that the message names.";
    "KPX5012" PortNotPublished:
        "A route names a port that no service publishes.",
        "Publish the port in the Compose file, or correct `port`.";
    "KPX5013" RouteConflict:
        "Two services, or two apps, claim the same route.",
        "Change the host, path or port that the message names.";
    "KPX5014" QuotaOrPolicyRefused:
        "The cluster refused an object of the app.",
        "Follow the message of the quota or policy.";
    "KPX6001" DriverMissing:
        "The driver's component is not there.",
        "Install the driver, or correct `spec.source` of the KompoxDriver.";
    "KPX6002" DriverFailed:
        "The driver reported a fault of its own.",
        "Report it to the driver's author with the message.";
    "KPX6003" DriverTrapped:
        "The driver's code crashed.",
        "Report it to the driver's author with the message; other objects are not affected.";
    "KPX6004" DriverDeadlineExceeded:
        "A call of the driver took too long.",
        "Wait; if it stays, raise `spec.limits.callTimeoutSeconds` of the KompoxDriver.";
    "KPX6005" DriverIncompatible:
        "The driver does not speak a version of the contract that this operator offers.",
        "Install the versions of driver and operator that the compatibility table names.";
    "KPX6006" VerificationFailed:
        "Digest or signature of the component are not as asked.",
        "Check `spec.source` of the KompoxDriver; the last good component stays in use.";
    "KPX6007" EgressDenied:
        "The driver wanted to reach a host it is not granted.",
        "Grant the host in `spec.egress` of the KompoxDriver if it is right.";
    "KPX6008" DriverConflict:
        "Another driver has the name or a provider type of this one.",
        "Remove one of the two, or grant `replaceBuiltInTypes` where the other one is built in.";
    "KPX6009" RegistryDenied:
        "The registry does not let the operator read the driver's artifact.",
        "Set `spec.source.oci.pullSecretRef` of the KompoxDriver, or correct the Secret that it names.";
    "KPX6010" ArtifactNotFound:
        "The registry does not have the driver's artifact.",
        "Correct `spec.source.oci.reference` of the KompoxDriver, or push the artifact.";
    "KPX6011" RegistryUntrusted:
        "The certificate of the registry is not accepted.",
        "Name its certificate authority in the operator's file of registries (--registries-config).";
    "KPX6012" RegistryUnreachable:
        "The registry does not answer.",
        "Check the registry, the operator's network and its proxy variables.";
    "KPX6013" ArtifactInvalid:
        "What the registry has is no driver that is taken.",
        "Push the component with `kompoxops driver push`, or follow the message.";
    "KPX6014" DigestMismatch:
        "The registry gave other bytes than those that were asked for.",
        "Do not trust the registry or the mirror before you know why.";
    "KPX6015" Unsigned:
        "The driver's artifact carries no signature.",
        "Sign it, or remove `spec.source.oci.verify` of the KompoxDriver.";
    "KPX6016" SignedByAnother:
        "The signature of the driver's artifact is not of the key or subject that is asked for.",
        "Check that the public key or the subject in `spec.source.oci.verify` is the signer's.";
    "KPX6017" SignatureTampered:
        "What was signed with the key has been changed.",
        "Do not use the artifact; have it signed again.";
    "KPX6018" SignedForAnother:
        "The signature was made for another artifact.",
        "Sign this artifact under this name.";
    "KPX6019" SignatureInvalid:
        "The signatures of the driver's artifact cannot be read.",
        "Sign the artifact again, and remove what is not needed.";
    "KPX6020" IssuedByAnother:
        "The signer's identity was not vouched for by the issuer that is asked for.",
        "Check the issuer in `spec.source.oci.verify.keyless`.";
    "KPX6021" SignatureUnlogged:
        "The keyless signature has no entry of a transparency log.",
        "Sign the artifact again, with a transparency log.";
    "KPX6022" SignatureUntrusted:
        "Certificate, log entry or time of the keyless signature are not those of the trust root.",
        "Check that the operator's `--sigstore-trusted-root` is that of the signer's Sigstore instance.";
    "KPX6023" VolumeMismatch:
        "The driver named another volume than the disk's own; it was not used.",
        "Report it to the driver's author, or install another version of the driver.";
    "KPX9001" OperatorError:
        "The operator met an error of its own.",
        "See the operator's log; it tries again.";
    "KPX9002" ApiServerRefused:
        "The API server refused a write of the operator.",
        "Check the operator's permissions and the policies that the message names.";
    "KPX9003" Unknown:
        "It is not known yet.",
        "Wait; the operator has not looked at the object.";
}
