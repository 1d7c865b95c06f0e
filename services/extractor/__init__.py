"""posts -> named entities -> entities: one Kafka transaction per batch."""

import os

# One process is one thread of work. Set here, before numpy loads its BLAS, which reads these once.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ[_variable] = "1"
