import dedent from 'dedent';

/** A template for Python in tests: the indentation of the test is taken away, escapes stay as Python has them. */
export const pythonCode = dedent.withOptions({ escapeSpecialCharacters: false });
