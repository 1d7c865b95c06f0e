"""entities -> Firestore: running counts per publication, one atomic commit per partition batch."""
