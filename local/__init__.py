"""The whole system on one machine: S3, queue, API gateway and functions; no AWS account, no containers."""
