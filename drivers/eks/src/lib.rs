//! Amazon EBS volumes and snapshots.
