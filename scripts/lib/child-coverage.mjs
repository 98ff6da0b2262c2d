/** Has processes that tests start write their coverage, too; scripts/coverage.mjs names the directory. */
process.env.NODE_V8_COVERAGE = process.env.FLASH_CHILD_COVERAGE;
