"""A plan or report for eyes and for machines; decides nothing."""
