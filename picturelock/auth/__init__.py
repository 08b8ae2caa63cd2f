"""Who asks: API keys, what they allow, and the signed tokens that browsers carry instead of them."""
