//! The operator: controllers for disks, snapshots and apps.
