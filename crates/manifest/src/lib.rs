//! What users declare: YAML in, typed and validated out.
