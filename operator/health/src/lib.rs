//! Pure judgement: the verdict of an object, pod faults, classes, masking.
