"""Many studies: what there is to do, what was done, who does it (this machine or a cluster). Ring 6 (batch)."""
