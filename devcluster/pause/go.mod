// The first process of a PID namespace. Standard library only, so that it is small: every pod has one.
module kompox.dev/devcluster/pause

go 1.26.0
