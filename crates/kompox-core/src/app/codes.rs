//! The findings of the conversion: what a Compose file means that Kubernetes cannot carry, or carries
//! differently. The reader's own findings are in `kompox_compose::codes`; these continue that list with
//! `KPX07nn`, and ids are API in the same way.

use kompox_compose::{Code, Severity};

macro_rules! codes {
    ($($name:ident = $id:literal, $severity:ident, $summary:literal;)*) => {
        $(
            #[doc = $summary]
            pub const $name: Code = Code { id: $id, severity: Severity::$severity, summary: $summary };
        )*

        /// All codes of the conversion, by id.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

codes! {
    INVALID_SERVICE_NAME = "KPX0701", Error, "A service has a name that no Kubernetes Service can have.";
    NAME_CLASH = "KPX0702", Error, "Two services would be reached under the same name.";
    UNRESOLVABLE_NAME = "KPX0703", Warning, "A container name is no DNS name, so that nobody reaches the service under it.";
    NUMERIC_USER_NEEDED = "KPX0704", Error, "A user or group is given by name, which only the image's files could resolve.";
    CAPABILITY = "KPX0705", Error, "A kernel capability that is unknown or beyond the baseline Pod Security Standard.";
    PLATFORM = "KPX0706", Error, "A platform that no node of the cluster can have.";
    EMPTY_COMMAND = "KPX0707", Error, "An entrypoint is cleared and no command is left to run.";
    CLEARED_COMMAND = "KPX0708", Warning, "A cleared command: the image's own command still runs.";
    HOSTNAME = "KPX0709", Error, "A host name that no pod can have.";
    HOSTNAME_CHANGED = "KPX0710", Warning, "A host name that is changed or not kept.";
    PUBLISHED_CHOSEN = "KPX0711", Warning, "A port is published under no single number: one was chosen.";
    HOST_ADDRESS = "KPX0712", Warning, "The address of a published port has no meaning in a cluster.";
    PORT_CLASH = "KPX0713", Error, "A service publishes one number for two of its ports.";
    ROUNDED_DURATION = "KPX0714", Warning, "A duration is rounded up to whole seconds.";
    LABEL_DROPPED = "KPX0715", Warning, "A label that cannot be an annotation is left out.";
    KEPT_RUNNING = "KPX0716", Warning, "A service that others reach is restarted whenever it ends, whatever `restart` says.";
    NEVER_COMPLETES = "KPX0717", Error, "A dependency waits for the end of a service that is restarted whenever it ends.";
    ONE_REPLICA = "KPX0718", Error, "A service that cannot have several replicas is asked to.";
    ENVIRONMENT_NAME = "KPX0719", Error, "An environment variable has a name that a Secret cannot carry.";
    ENVIRONMENT_SIZE = "KPX0720", Error, "An environment variable or a whole environment is too large.";
    NO_COPY_UP = "KPX0721", Info, "A new volume starts empty: what the image has at its place is not copied.";
    VOLUME_OF_ROOT = "KPX0722", Warning, "A new volume belongs to root, and the service runs as another user.";
    VOLUME_NAME_IGNORED = "KPX0723", Warning, "A volume's platform name has no effect: `spec.volumes` says where it lives.";
    PORT_NAME_IGNORED = "KPX0724", Info, "A port's name has no effect.";
    VOLUME_NOT_MAPPED = "KPX0725", Error, "A volume that `spec.volumes` gives no place.";
}

#[cfg(test)]
mod tests {
    use super::ALL;

    #[test]
    fn ids_are_sorted_and_do_not_meet_those_of_the_reader() {
        assert!(ALL.is_sorted_by(|a, b| a.id < b.id));
        assert!(ALL.iter().all(|code| kompox_compose::codes::find(code.id).is_none()));
        assert!(ALL.iter().all(|code| code.summary.ends_with('.')));
    }
}
