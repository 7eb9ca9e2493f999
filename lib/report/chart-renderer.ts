/** ECharts to SVG text, with only the parts in use. The build bundles this file, so that ECharts is not installed with us. */
import { BarChart, CustomChart, LineChart, ScatterChart } from 'echarts/charts';
import {
  GraphicComponent,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TitleComponent,
} from 'echarts/components';
import { type EChartsCoreOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { paper } from './chart-style.ts';

export type ChartOption = EChartsCoreOption;

/** Size in CSS pixels. */
export interface ChartSize {
  readonly width: number;
  readonly height: number;
}

/** The same option gives the same text. `name` makes the identifiers inside unique among figures of one page. */
export function renderChart(name: string, option: ChartOption, size: ChartSize): string {
  use([
    BarChart,
    CustomChart,
    LineChart,
    ScatterChart,
    GraphicComponent,
    GridComponent,
    LegendComponent,
    MarkLineComponent,
    TitleComponent,
    SVGRenderer,
  ]);
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...size });
  try {
    chart.setOption({ ...option, animation: false, backgroundColor: paper });
    return withOwnIdentifiers(name, chart.renderToSVGString());
  } finally {
    chart.dispose();
  }
}

/** The library's identifiers count through the whole process: left alone, a second report would differ from the first. */
function withOwnIdentifiers(name: string, svg: string): string {
  const known = new Map<string, string>();
  return svg.replaceAll(/zr\d+-[a-z]*-?\d+/g, (identifier) => {
    const own = known.get(identifier) ?? `${name}-${known.size}`;
    known.set(identifier, own);
    return own;
  });
}
