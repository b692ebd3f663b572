"""The yardstick: the same journey as a good engineer would write it by hand on Temporal. No part of Sojourn."""
