import { describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import {
  choice,
  positiveInteger,
  nonNegativeInteger,
  defineSettings,
  flag,
  integer,
  milliseconds,
  read,
  text,
  keyword,
} from './index.ts';

let made = 0;
const schema = defineSettings({
  NAME: text(undefined, 'Name'),
  PLACE: text(() => `/${made}`, 'Place'),
  COUNT: positiveInteger(8, 'Count'),
  BYTES: nonNegativeInteger(0, 'Bytes'),
  PORT: integer([0, 65_535], 80, 'Port'),
  WAIT_MS: milliseconds(10, 'Wait'),
  IS_ON: flag(false, 'On'),
  KIND: choice(['a', 'b'], 'b', 'Kind'),
  LEVEL: keyword({ LOW: 1, HIGH: 2 }, undefined, 'Level'),
  LIST: read(
    () => {
      made++;
      return z.string().transform((words) => words.split(','));
    },
    ['x'],
    'List',
  ),
});

describe('settings', () => {
  it('have their defaults, for which no schema is made', () => {
    expect(schema.parse({})).toEqual({
      NAME: undefined,
      PLACE: '/0',
      COUNT: 8,
      BYTES: 0,
      PORT: 80,
      WAIT_MS: 10,
      IS_ON: false,
      KIND: 'b',
      LEVEL: undefined,
      LIST: ['x'],
    });
    expect(made).toBe(0);
  });

  it('are read from text, each with one schema for good', () => {
    const given = {
      NAME: 'n',
      COUNT: '3',
      BYTES: '0',
      PORT: '0',
      IS_ON: 'Yes',
      KIND: 'a',
      LEVEL: 'high',
      LIST: 'p,q',
    };
    const values = schema.parse({ ...given, OTHER: 'ignored' });
    expect(values).toMatchObject({
      NAME: 'n',
      COUNT: 3,
      BYTES: 0,
      PORT: 0,
      IS_ON: true,
      KIND: 'a',
      LEVEL: 2,
      LIST: ['p', 'q'],
    });
    expect(values).not.toHaveProperty('OTHER');
    schema.parse(given);
    expect(made).toBe(1);
  });

  it.each([
    [{ COUNT: '0' }, 'COUNT: expected a whole number from 1'],
    [{ COUNT: 'many' }, 'COUNT: expected a whole number from 1'],
    [{ PORT: '65536' }, 'PORT: expected a whole number from 0 to 65535'],
    [{ WAIT_MS: '2147483648' }, 'WAIT_MS: expected a whole number from 0 to 2147483647'],
    [{ WAIT_MS: '0.5' }, 'WAIT_MS: expected a whole number from 0 to'],
    [{ NAME: 5 }, 'NAME: expected a text'],
    [{ KIND: 'c' }, 'KIND: expected one of a, b'],
    [{ KIND: 'A' }, 'KIND: expected one of a, b'],
    [{ LEVEL: 'toString' }, 'LEVEL: expected one of LOW, HIGH'],
  ])('that are wrong are named: %j', (given, message) => {
    expect(() => schema.parse(given)).toThrow(`wrong settings: ${message}`);
  });

  it('tell of all that is wrong at once', () => {
    const result = schema.safeParse({ COUNT: '-1', KIND: '' });
    expect(result.success ? [] : result.problems).toEqual([
      expect.stringContaining('COUNT: '),
      expect.stringContaining('KIND: '),
    ]);
  });
});
