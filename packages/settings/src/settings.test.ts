import { describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import {
  choice,
  directory,
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

  it('of directories are none in /proc, given or by default', () => {
    const given = defineSettings({ PLACE: directory('/tmp', 'Place') });
    expect(given.parse({ PLACE: '/proc/self/cwd/new' }).PLACE).toBe('/proc/self/cwd/new');
    expect(given.parse({ PLACE: '/process' }).PLACE).toBe('/process');
    for (const place of ['/proc', '/tmp/../proc/net/x', '/proc/self/none/y'])
      expect(() => given.parse({ PLACE: place })).toThrow(
        `PLACE: ${place} is in /proc, where no directory can be made: name another place`,
      );
    expect(() => defineSettings({ HOUSE: directory(() => '/proc/1', 'House') }).parse({})).toThrow(
      'HOUSE: /proc/1 is in /proc, where no directory can be made: set it, or what it comes from',
    );
    expect(() => given.parse({ PLACE: 5 })).toThrow('expected a text');
  });
});
