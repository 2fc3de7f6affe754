//! API types of k8s.kompox.dev/v1alpha1.
