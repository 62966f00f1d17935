//! The two kinds, HelmRelease and RollbackRequest: types, conditions, reasons, CRDs.
