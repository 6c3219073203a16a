"""Results written to a bucket, as OutputConfig asks: to the folder that stands for it, or to an S3 endpoint."""

from typing import Any

from deploy.local.textract.refusals import Refusal
from deploy.local.textract.results import MARKER
from deploy.local.textract.stores import Buckets

Output = tuple[str, str]


class Outputs:
    """Where results go. `endpoint` serves the buckets that no folder stands for."""

    def __init__(self, buckets: Buckets, endpoint: str) -> None:
        self._buckets, self.endpoint = buckets, endpoint
        self._clients: dict[str, Any] = {}

    def check(self, output: Output) -> None:
        """Raises Refusal (InvalidS3ObjectException) for a bucket that cannot be written to."""
        bucket, prefix = output
        if self._buckets.has(bucket):
            self._buckets.place(bucket, prefix)
        elif not self.endpoint:
            raise Refusal("InvalidS3ObjectException", f"There is no bucket {bucket} here to write results to.")

    def claim(self, output: Output, job_id: str) -> None:
        """Leaves the empty object with which AWS tries its right to write."""
        self._put(output, job_id, MARKER, b"")

    def write(self, output: Output, job_id: str, number: int, answer: bytes) -> None:
        """Writes one answer."""
        self._put(output, job_id, str(number), answer)

    def _put(self, output: Output, job_id: str, name: str, content: bytes) -> None:
        bucket, prefix = output
        key = f"{prefix}/{job_id}/{name}"
        if self._buckets.has(bucket):
            path = self._buckets.place(bucket, key)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        else:
            self._s3().put_object(Bucket=bucket, Key=key, Body=content)

    def _s3(self) -> Any:
        import boto3  # only who writes to an endpoint pays for it

        if self.endpoint not in self._clients:
            self._clients[self.endpoint] = boto3.client(
                "s3",
                endpoint_url=self.endpoint,
                region_name="us-east-1",
                aws_access_key_id="local",
                aws_secret_access_key="local",
            )
        return self._clients[self.endpoint]
