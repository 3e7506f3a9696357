"""Attribution in simulation: how often the right copy is named, and how often a wrong one."""
