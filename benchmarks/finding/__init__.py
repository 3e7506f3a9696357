"""Made-up people and leaked texts with known truth: how much of it the matcher finds, by class of noise."""
