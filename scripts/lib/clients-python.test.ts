import { afterEach, expect, it } from '@jest/globals';
import { clientsPython } from './clients-python.ts';

const before = process.env.FLASH_TEST_CLIENTS_PYTHON;
afterEach(() => {
  if (before === undefined) delete process.env.FLASH_TEST_CLIENTS_PYTHON;
  else process.env.FLASH_TEST_CLIENTS_PYTHON = before;
});

it('takes the one that is named', () => {
  process.env.FLASH_TEST_CLIENTS_PYTHON = process.execPath;
  expect(clientsPython()).toBe(process.execPath);
});

it('names the setting when there is none at its path', () => {
  process.env.FLASH_TEST_CLIENTS_PYTHON = '/nowhere/python';
  expect(clientsPython).toThrow('FLASH_TEST_CLIENTS_PYTHON is /nowhere/python, which does not exist');
});
