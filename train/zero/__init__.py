"""Training under DeepSpeed's ZeRO-3: the only code that knows DeepSpeed."""
