"""Whether recorded trials reproduce: a sample is trained again, step for step, and compared.

Times are not: see `Verification`. Imports no JAX.
"""

from algoperf_lite.verifying.verdict import Verdict as Verdict
from algoperf_lite.verifying.verdict import Verification as Verification
from algoperf_lite.verifying.verify import verify as verify
