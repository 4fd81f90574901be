"""Is this gradient right at this point? Contract tests, differences with an estimated error, kinks."""
