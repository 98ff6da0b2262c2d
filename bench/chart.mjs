const [labelWidth, barWidth, rowHeight, top] = [360, 360, 24, 56];
/** The comparator's line is here, as a part of the bars' width; the scale is logarithmic. */
const [least, most] = [1 / 32, 32];

/** The rows that have something to compare with, as an SVG of bars: how many times as good as the comparator. */
export function chart({ machine, at, rows }) {
  const shown = rows.filter(({ ratio }) => ratio !== undefined);
  const height = top + shown.length * rowHeight + 40;
  const width = labelWidth + barWidth + 90;
  const bars = shown.map((row, index) => bar(row, top + index * rowHeight));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="The worker beside its comparators">
<rect width="100%" height="100%" fill="#fff"/>
<text x="16" y="24" font-size="15" font-weight="600">The worker beside its comparators: how many times as fast or as small</text>
<text x="16" y="42" fill="#555">${escaped(machine)}, ${at}; medians; logarithmic; the line is the comparator</text>
${bars.join('\n')}
<line x1="${x(1)}" y1="${top - 4}" x2="${x(1)}" y2="${height - 36}" stroke="#333"/>
${[1 / 16, 1 / 4, 4, 16].map((at) => `<text x="${x(at)}" y="${height - 16}" fill="#777" text-anchor="middle">${at < 1 ? `1/${1 / at}` : at}×</text>`).join('\n')}
</svg>
`;
}

function bar({ title, ratio, isRate }, y) {
  const advantage = isRate ? ratio : 1 / ratio;
  const [from, to] = [x(1), x(advantage)].toSorted((a, b) => a - b);
  const color = advantage >= 1 ? '#2a7d4f' : '#b3472f';
  return `<text x="${labelWidth - 8}" y="${y + 15}" text-anchor="end">${escaped(title)}</text>
<rect x="${from.toFixed(1)}" y="${y + 4}" width="${Math.max(1, to - from).toFixed(1)}" height="${rowHeight - 9}" fill="${color}"/>
<text x="${(to + 5).toFixed(1)}" y="${y + 15}" fill="#333">${advantage.toFixed(advantage < 10 ? 2 : 0)}×</text>`;
}

function x(advantage) {
  const bounded = Math.min(most, Math.max(least, advantage));
  return labelWidth + (Math.log(bounded / least) / Math.log(most / least)) * barWidth;
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
