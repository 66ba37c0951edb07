"""The desktop app: shows what `core` computes, and computes nothing itself."""
