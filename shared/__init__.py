__version__ = "0.1.0"  # here, because an image holds the code and no package metadata
