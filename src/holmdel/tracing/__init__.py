"""Any PyTorch network followed operator by operator, and what is known of each operator."""
