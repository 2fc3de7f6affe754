//! The development control plane: real etcd and kube-apiserver, simulated pods.
