import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';

/** One line, or one row of bars. */
interface ChartSeries {
  readonly name: string;
  /** Custom property of the style sheet that holds its colour. */
  readonly colour: string;
  readonly isBars?: boolean;
  readonly values: readonly (number | null)[];
}

export interface ChartProps {
  readonly title: string;
  /** The chart in words, for screen readers. */
  readonly summary: string;
  /** Seconds since 1970, for each value. */
  readonly times: readonly number[];
  readonly series: readonly ChartSeries[];
  readonly unit: (value: number) => string;
  /** Changes when colours do. */
  readonly theme: string;
}

const height = 150;

/** A chart over the last hour. */
export function Chart({ title, summary, times, series, unit, theme }: ChartProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const data = [times, ...series.map(({ values }) => values)] as unknown as uPlot.AlignedData;
  const latest = useRef(data);
  latest.current = data;

  // Made anew for other colours only; its data comes below.
  useEffect(() => {
    const element = box.current as HTMLDivElement;
    const colour = (name: string): string => colourOf(element, name);
    const axis = { stroke: colour('--quiet'), grid: { stroke: colour('--line') }, font: '11px sans-serif' };
    plot.current = new uPlot(
      {
        width: element.clientWidth,
        height,
        legend: { show: false },
        cursor: { show: false },
        scales: { y: { range: (_, __, most) => [0, Math.max(1, most ?? 1) * 1.1] } },
        axes: [axis, { ...axis, size: 60, values: (_, ticks) => ticks.map(unit) }],
        series: [
          {},
          ...series.map(({ colour: name, isBars = false }) => ({
            stroke: colour(name),
            fill: isBars ? colour(name) : undefined,
            width: isBars ? 0 : 1.5,
            spanGaps: true,
            points: { show: !isBars, size: 4 },
            paths: isBars ? uPlot.paths.bars?.({ size: [0.9, 12] }) : undefined,
          })),
        ] as uPlot.Series[],
      },
      latest.current,
      element,
    );
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      plot.current?.destroy();
    };
  }, [theme]);
  useEffect(() => plot.current?.setData(data), [data]);

  return (
    <figure>
      <figcaption>
        {title}{' '}
        {series.map(({ name, colour }) => (
          <span key={name} class={`key ${colour.slice(2)}`}>
            {name}
          </span>
        ))}
      </figcaption>
      <div ref={box} role="img" aria-label={`${title}: ${summary}`} />
    </figure>
  );
}

/** A canvas wants the colour that a property stands for at the moment. */
function colourOf(element: HTMLElement, property: string): string {
  element.style.color = `var(${property})`;
  return getComputedStyle(element).color;
}
