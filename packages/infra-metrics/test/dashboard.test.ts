import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { metricCatalogue } from '@flash/worker-core';

const text = readFileSync(new URL('../../../docs/grafana-dashboard.json', import.meta.url), 'utf8');
const { panels } = JSON.parse(text) as { panels: { targets: { expr: string }[] }[] };
const shown = new Set(
  panels
    .flatMap(({ targets }) => targets)
    .flatMap(({ expr }) => expr.match(/\bflash_[a-z_]+/g) ?? [])
    .map((name) => name.replace(/_(?:bucket|sum|count)$/, '')),
);

describe('the Grafana dashboard', () => {
  it('shows every metric, and none that does not exist', () => {
    expect([...shown].sort()).toEqual(Object.keys(metricCatalogue).sort());
  });
});
