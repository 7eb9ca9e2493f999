/** ECharts to SVG text, with only the parts in use. The build bundles this file, so that ECharts is not installed with us. */
import { BarChart, CustomChart, ScatterChart } from 'echarts/charts';
import {
  GraphicComponent,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TitleComponent,
} from 'echarts/components';
import { type EChartsCoreOption, init, use } from 'echarts/core';
import { LabelLayout } from 'echarts/features';
import { SVGRenderer } from 'echarts/renderers';

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
    ScatterChart,
    GraphicComponent,
    GridComponent,
    LegendComponent,
    MarkLineComponent,
    TitleComponent,
    LabelLayout,
    SVGRenderer,
  ]);
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...size });
  try {
    chart.setOption({ ...option, animation: false, backgroundColor: '#ffffff' });
    // The identifiers count the charts of the process: left alone, the second report would differ from the first.
    return chart.renderToSVGString().replaceAll(/zr\d+-/g, `${name}-`);
  } finally {
    chart.dispose();
  }
}
