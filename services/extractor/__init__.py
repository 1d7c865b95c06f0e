"""posts -> named entities -> entities: one Kafka transaction per batch."""

import ctypes
import os
from contextlib import suppress

# One process is one thread of work. Set here, before numpy loads its BLAS, which reads these once.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ[_variable] = "1"

# By default glibc gives what a batch has used back to the system and takes it again for the next, page by page: a
# quarter of all the time. So keep up to 256 MiB, and take no block below 32 MiB from the system. See mallopt(3).
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
with suppress(AttributeError, OSError):  # another C library
    ctypes.CDLL(None).mallopt(_M_TRIM_THRESHOLD, 256 * 1024 * 1024)
    ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, 32 * 1024 * 1024)
