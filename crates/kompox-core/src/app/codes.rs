//! The findings of the conversion: what a Compose file means that Kubernetes cannot carry, or carries
//! differently. The reader's own findings are in `kompox_compose::codes`; these continue that list with
//! `KPX77nn` to `KPX79nn`, and ids are API in the same way.

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
    INVALID_SERVICE_NAME = "KPX7701", Error, "A service has a name that no Kubernetes Service can have.";
    NAME_CLASH = "KPX7702", Error, "Two services would be reached under the same name.";
    UNRESOLVABLE_NAME = "KPX7703", Warning, "A container name is no DNS name, so that nobody reaches the service under it.";
    NUMERIC_USER_NEEDED = "KPX7704", Error, "A user or group is given by name, which only the image's files could resolve.";
    CAPABILITY = "KPX7705", Error, "A kernel capability that does not exist.";
    PLATFORM = "KPX7706", Error, "A platform that no node of the cluster can have.";
    EMPTY_COMMAND = "KPX7707", Error, "An entrypoint is cleared and no command is left to run.";
    CLEARED_COMMAND = "KPX7708", Warning, "A cleared command: the image's own command still runs.";
    HOSTNAME = "KPX7709", Error, "A host name that no pod can have.";
    HOSTNAME_CHANGED = "KPX7710", Warning, "A host name that is changed or not kept.";
    PUBLISHED_CHOSEN = "KPX7711", Warning, "A port is published under no single number: one was chosen.";
    HOST_ADDRESS = "KPX7712", Warning, "The address of a published port has no meaning in a cluster.";
    PORT_CLASH = "KPX7713", Error, "A service publishes one number for two of its ports.";
    ROUNDED_DURATION = "KPX7714", Warning, "A duration is rounded up to whole seconds.";
    LABEL_DROPPED = "KPX7715", Warning, "A label that cannot be an annotation is left out.";
    KEPT_RUNNING = "KPX7716", Warning, "A service that others reach is restarted whenever it ends, whatever `restart` says.";
    NEVER_COMPLETES = "KPX7717", Error, "A dependency waits for the end of a service that is restarted whenever it ends.";
    ONE_REPLICA = "KPX7718", Error, "A service that cannot have several replicas is asked to.";
    ENVIRONMENT_NAME = "KPX7719", Error, "An environment variable has a name that a Secret cannot carry.";
    ENVIRONMENT_SIZE = "KPX7720", Error, "An environment variable or a whole environment is too large.";
    VOLUME_OF_ROOT = "KPX7722", Warning, "A new volume belongs to root, and the service runs as another user.";
    VOLUME_NAME_IGNORED = "KPX7723", Warning, "A volume's platform name has no effect: `spec.volumes` says where it lives.";
    PORT_NAME_IGNORED = "KPX7724", Info, "A port's name has no effect.";
    VOLUME_NOT_MAPPED = "KPX7725", Error, "A volume that `spec.volumes` gives no place.";
    LABELS_SIZE = "KPX7726", Error, "The labels of a service are longer than annotations may be together.";
    FOREIGN_CONTAINER = "KPX7750", Error, "A namespace is shared with a container that is not of this project.";
    JOINED_IN_A_CIRCLE = "KPX7751", Error, "Services that share a pod wait for each other, or pods do.";
    PORT_SHARED = "KPX7752", Error, "Two services of one pod listen on the same port.";
    RESTART_SHARED = "KPX7753", Error, "Services of one pod are to be restarted in different ways.";
    REPLICAS_SHARED = "KPX7754", Error, "A service that shares its pod asks for a number of containers of its own.";
    POD_SETTING_CLASH = "KPX7755", Error, "Services of one pod ask for different settings of the pod.";
    POD_SETTING_SHARED = "KPX7756", Warning, "A setting of one service holds for all services of its pod.";
    SHARES_MORE = "KPX7757", Warning, "Services that share a process or IPC namespace share their network too.";
    RUN_AGAIN = "KPX7758", Warning, "A one-shot service of a shared pod runs whenever the pod starts, until it succeeds.";
    NOTHING_RUNS_ON = "KPX7759", Error, "A shared pod in which a one-shot service comes after all that run on.";
    HOST_PATH = "KPX7760", Error, "A host path that `spec.bindMap` gives no place.";
    HOST_SYSTEM_PATH = "KPX7761", Error, "A bind of the host's own system: its devices, processes or container engine.";
    BIND_STARTS_EMPTY = "KPX7762", Warning, "A bind of a relative path becomes a directory on a disk, which starts empty.";
    FILE_WITHOUT_CONTENT = "KPX7763", Error, "A bind of a single file whose content is not given.";
    CLOCK_FILE = "KPX7764", Warning, "The host's time zone is not mounted.";
    FILES_READ_ONLY = "KPX7765", Warning, "Files that the spec supplies are mounted read-only.";
    ANONYMOUS_VOLUME = "KPX7766", Warning, "An anonymous volume does not outlive its container.";
    TMPFS_OPTION = "KPX7767", Warning, "An option of a file system in memory has no effect.";
    TMPFS_UNBOUNDED = "KPX7768", Warning, "A file system in memory without a size may fill the node's memory.";
    VOLUME_DRIVER = "KPX7769", Error, "A volume driver, or options of one, that a cluster does not have.";
    VOLUME_OPTION = "KPX7770", Warning, "A mount option of a volume has no effect.";
    EXTERNAL_VOLUME = "KPX7771", Error, "An external volume that `spec.volumes` does not name.";
    MOUNT_TYPE = "KPX7772", Error, "A type of mount that the cluster does not have.";
    PROPAGATION = "KPX7773", Error, "Mounts are to be passed on between host and container.";
    BELOW_READ_ONLY = "KPX7774", Error, "A mount lies below a read-only one, where no mount point can be made.";
    TARGET_TWICE = "KPX7775", Error, "Two things are mounted at the same path.";
    CONTENT_MISSING = "KPX7776", Error, "A config or secret whose content is not there.";
    CONTENT_SIZE = "KPX7777", Error, "A config or secret is larger than 1 MiB.";
    FILE_OWNER = "KPX7778", Warning, "The owner or group of a config or secret cannot be set.";
    COPY_UP = "KPX7779", Info, "An empty volume is filled from the image, which needs `sh` and `cp` in it.";
    FLAT_NETWORK = "KPX7780", Info, "A network of the file is the one flat network of the app.";
    NETWORKS_JOINED = "KPX7781", Warning, "Networks of the file do not separate services: the app has one flat network.";
    FOREIGN_NETWORK = "KPX7782", Warning, "A network shared with others: they are not reached under it.";
    INTERNAL_NETWORK = "KPX7783", Warning, "A network without a way out has one.";
    NETWORK_DRIVER = "KPX7784", Error, "A network driver that a cluster does not have.";
    STATIC_ADDRESS = "KPX7785", Warning, "A fixed address of a container has no effect.";
    RENAMED = "KPX7790", Warning, "A service has another name in the cluster.";
    OLD_NAME_MENTIONED = "KPX7791", Warning, "The value of a variable contains the old name of a renamed service.";
    DOCKER_ONLY = "KPX7801", Info, "A key that concerns Docker's own tools, and can stay in the file.";
    KERNEL_SETTING = "KPX7802", Warning, "A setting of the kernel that a pod cannot have for itself.";
    ULIMITS = "KPX7803", Warning, "Limits of processes, which a pod cannot raise.";
    HOST_DEVICES = "KPX7804", Error, "Devices of the host, which a pod does not have.";
    EXTERNAL_LINKS = "KPX7805", Error, "A link to a container that is not of this project.";
    MAC_ADDRESS = "KPX7806", Error, "A hardware address, which no pod can choose.";
    PROVIDER = "KPX7807", Error, "A service that a program beside Docker Compose provides.";
    WINDOWS_ONLY = "KPX7808", Error, "A key of containers of Windows, which are not run.";
    API_SOCKET = "KPX7809", Error, "The socket of the Docker Engine, which a cluster does not have.";
    FILE_DRIVER = "KPX7810", Error, "A config or secret that a driver or template makes.";
    MODELS = "KPX7811", Error, "A model that Docker would serve.";
    JOBS = "KPX7812", Error, "A job by time or by hand.";
    PRE_START_KEY = "KPX7813", Error, "A setting that a container before the start cannot have for itself.";
    NETWORK_OPTION = "KPX7814", Info, "A detail of a network that the cluster decides.";
    ADDRESS_RANGE = "KPX7815", Warning, "A range of addresses, which only the cluster gives.";
    SERVICE_NAME = "KPX7816", Warning, "A service is reached under its name, whatever the key says.";
    UPDATE_DETAIL = "KPX7817", Warning, "A detail of updates that a rollout does not know.";
    UMASK = "KPX7818", Warning, "A mask for new files, which a pod cannot set.";
    PULL_AGE = "KPX7819", Warning, "An age of images, which a node does not know.";
    SELINUX = "KPX7820", Info, "A label of SELinux, which the kubelet sets itself.";
    VOLUME_LABELS = "KPX7821", Info, "Labels of a volume, which nothing can carry.";
    FILE_LABELS = "KPX7822", Info, "Labels of a config or secret, which nothing carries.";
    POLICY_CAPABILITY = "KPX7900", Error, "A kernel capability that only namespaces of Pod Security level privileged allow.";
    POLICY_HOST_NETWORK = "KPX7901", Error, "The network of the host, which only namespaces of Pod Security level privileged allow.";
    POLICY_HOST_NAMESPACE = "KPX7902", Error, "Processes or memory of the host, which only namespaces of Pod Security level privileged allow.";
    POLICY_PRIVILEGED = "KPX7903", Error, "A privileged container, which only namespaces of Pod Security level privileged allow.";
    POLICY_SYSCTL = "KPX7904", Error, "A kernel parameter that only namespaces of Pod Security level privileged allow.";
    POLICY_SECURITY_OPTION = "KPX7905", Error, "A security option that only namespaces of Pod Security level privileged allow.";
    POLICY_HOST_PORT = "KPX7906", Error, "A port of the host, which only namespaces of Pod Security level privileged allow.";
    BUILD_ONLY = "KPX7907", Error, "A service has a build and no image: nothing is built in a cluster.";
    BUILD_IGNORED = "KPX7908", Info, "A build has no effect: the service's image is pulled.";
    IMAGE_TAG = "KPX7909", Info, "An image without a tag, or with `latest`, changes under the app's feet.";
    PULL_BUILD = "KPX7910", Error, "An image that shall only be built is never there in a cluster.";
    PULL_REFRESH = "KPX7911", Warning, "An image that shall be pulled again after a time is pulled at each start.";
    ENVIRONMENT_VALUE = "KPX7912", Error, "An environment variable contains a NUL.";
    SECURITY_OPTION = "KPX7913", Error, "A security option that no pod can have.";
    SECURITY_CONFLICT = "KPX7914", Error, "Two settings that a pod cannot have together.";
    USER_NAMESPACE = "KPX7915", Warning, "A user namespace mode that has no effect.";
    HOST_ONLY = "KPX7916", Error, "A namespace of the host that no pod can have.";
    SYSCTL = "KPX7917", Error, "A kernel parameter that no pod can have for itself.";
    SYSCTL_UNSAFE = "KPX7918", Warning, "A kernel parameter that the nodes must be set up to allow.";
    NETWORK_MODE = "KPX7919", Error, "A network mode that has no meaning in a cluster.";
    NETWORK_NONE = "KPX7920", Warning, "A service without network has one whose traffic is denied.";
    EXTRA_HOST = "KPX7921", Error, "An entry of `extra_hosts` that no pod can have.";
    HOST_GATEWAY = "KPX7922", Error, "The host as the gateway of a container has no meaning in a cluster.";
    EXTRA_HOST_CHANGED = "KPX7923", Warning, "A name of `extra_hosts` is changed to lower case.";
    DNS_ORDER = "KPX7924", Warning, "Name servers are asked after the cluster's own, and two at most.";
    DNS_INVALID = "KPX7925", Error, "A DNS setting that no pod can have.";
    DOMAIN_NAME = "KPX7926", Warning, "A domain name is not kept: the cluster gives its own.";
    STOP_SIGNAL = "KPX7927", Warning, "A stop signal is sent by a shell in the container, or not at all.";
    HOOK_RIGHTS = "KPX7928", Error, "A lifecycle command that shall run with other rights than its container.";
    HOOK_SHELL = "KPX7929", Warning, "A lifecycle command needs a shell in the image.";
    PRE_START_ONCE = "KPX7930", Warning, "A command that shall run once per rollout runs whenever a pod is made.";
    PRE_START_REPLICAS = "KPX7931", Error, "A command that shall run once would run in each of several replicas.";
    DEVICE_COUNT = "KPX7932", Error, "A cluster counts the devices it gives: there is no `all`.";
    DEVICE_CHOICE = "KPX7933", Error, "Devices cannot be chosen by id or option.";
    DEVICE_UNKNOWN = "KPX7934", Error, "A device that has no resource name in a cluster.";
    STORAGE_OPTION = "KPX7935", Error, "A storage option that no container can have.";
    MEMORY_TOO_SMALL = "KPX7936", Error, "A memory limit under which no container starts.";
    CPU_ROUNDED = "KPX7937", Warning, "A share of a processor is rounded up to a size the kernel can give.";
    PIDS_LIMIT = "KPX7938", Warning, "The number of processes is limited by the node, not by the app.";
    RESOURCE_INVALID = "KPX7939", Error, "A resource that has no valid name or quantity.";
    REQUEST_ABOVE_LIMIT = "KPX7940", Error, "More of a resource is reserved than allowed.";
    RESTART_DETAIL = "KPX7941", Warning, "A detail of the restart policy has no effect.";
    GLOBAL_MODE = "KPX7942", Error, "A service on every node that cannot be.";
    REPLICAS_IGNORED = "KPX7943", Warning, "A service on every node has no number of replicas.";
    UPDATE_IGNORED = "KPX7944", Warning, "A setting of updates has no effect.";
    UPDATE_DELAY = "KPX7945", Warning, "The time between updates becomes the time a pod must be ready.";
    PLACEMENT_CONSTRAINT = "KPX7946", Error, "A placement constraint that no node selection can express.";
    PLACEMENT_IGNORED = "KPX7947", Warning, "A placement wish has no effect.";
    RUNTIME_CLASS = "KPX7948", Info, "A runtime needs a RuntimeClass of the cluster.";
    RUNTIME_INVALID = "KPX7949", Error, "A runtime with a name that no RuntimeClass can have.";
    TRAEFIK_LABEL = "KPX7950", Info, "A label with routes has no effect: `spec.ingress` makes them.";
    KOMPOSE_LABEL = "KPX7951", Info, "A label for another converter has an equivalent here.";
    KOMPOSE_LABEL_IGNORED = "KPX7952", Warning, "A label for another converter has no effect.";
    PORT_NOT_ROUTED = "KPX7953", Warning, "A port that is not TCP is not reached through routes.";
    PORT_DETAIL = "KPX7954", Warning, "A detail of a port is left out.";
    SHM_SIZE = "KPX7955", Info, "Shared memory counts to the container's memory limit.";
    START_PERIOD = "KPX7956", Info, "Failed checks before the first success never count, whatever the start period.";
    LIVENESS = "KPX7957", Error, "A liveness probe is asked for where there is no health check.";
    ENDPOINT_MODE = "KPX7958", Info, "A service's name always leads to the addresses of its pods.";
    SELINUX_CONFINED = "KPX7959", Warning, "SELinux goes on to confine a service, unless its namespace has Pod Security level privileged.";
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
