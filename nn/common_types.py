"""Names for the sizes of layers in annotations, as in ``torch.nn.common_types``."""

from typing import Any

for _kind in ("size", "scalar_or_tuple", "ratio"):
    globals().update({f"_{_kind}_{_n}_t": Any for _n in ("any", 1, 2, 3, 4, 5, 6, "any_opt", "2_opt", "3_opt")})
