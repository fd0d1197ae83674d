import { useEffect } from 'preact/hooks';
import { BarChart } from '../charts/BarChart.tsx';
import { clientsOf } from '../lib/clients.ts';
import { whole } from '../lib/format.ts';
import { route, setQuery } from '../lib/route.ts';
import type { Run } from '../lib/run.ts';
import { ink } from '../lib/theme.ts';
import { Choice } from '../parts/Bits.tsx';
import { ClientRows } from '../parts/ClientRows.tsx';
import { HeatGrid } from '../parts/HeatGrid.tsx';
import { isKnown, measureOf, measures } from '../parts/measures.ts';
import { RunHead } from '../parts/RunHead.tsx';

const edges = [0, 0.25, 0.5, 0.8, 1.25, 2, 4, Infinity] as const;
const names = ['under ¼', '¼ to ½', '½ to 0.8', 'as intended', '1¼ to 2', '2 to 4', 'over 4'] as const;

/** Who takes part, how much, and whether they are heard as much as they should be. */
export function ClientsPage({ run }: { run: Run }) {
  const table = clientsOf(run);
  useEffect(() => run.watch([]), [run]);
  useEffect(() => table.watch(), [table]);
  void table.tick.value;
  const measure = measureOf(route.value.query.get('by'));
  const balance = measures.find((m) => m.name === 'balance')!.of(table);
  const counts = names.map(() => 0);
  let heard = false;
  for (let i = 0; i < table.count; i++) {
    const v = balance(i);
    if (!Number.isFinite(v)) continue;
    heard = true;
    counts[edges.findIndex((edge, k) => v >= edge && v < edges[k + 1]!)]!++;
  }
  const colours = ink();
  return (
    <section aria-labelledby="run-title">
      <RunHead run={run} page="Clients" />
      {table.problem.value && <p class="banner" role="status"><strong>The clients cannot be read now.</strong> {table.problem.value}</p>}
      <div class="bar">
        <Choice label="Colour by" value={measure.name} options={measures.filter((m) => isKnown(m, table)).map((m) => [m.name, m.label] as const)} onChange={(name) => setQuery({ by: name === 'state' ? null : name })} />
      </div>
      <div class="stack">
        <HeatGrid run={run} table={table} measure={measure} />
        <BarChart title="Heard as much as intended?" note="Every client should weigh in the model as much as its share of all examples. Fast or often chosen clients end up on the right, slow or rarely chosen ones on the left; what is far out tilts the model." xLabel="share of the model's weight, over share of all examples" yLabel="clients" format={whole}
          bars={heard ? counts.map((value, i) => ({ label: names[i]!, value, colour: i === 3 ? colours.upload : i < 3 ? colours.lost : colours.group, hatched: i < 3, hint: `${whole(value)} clients: ${names[i]}` })) : []} height={190} empty="No update was merged yet." />
        <ClientRows run={run} table={table} />
      </div>
    </section>
  );
}
