import { useEffect, useState } from 'preact/hooks';
import { LineChart } from '../charts/LineChart.tsx';
import { document_ } from '../lib/api.ts';
import { bytes, duration, short, whole } from '../lib/format.ts';
import { Figure } from '../parts/Bits.tsx';

interface SystemAnswer {
  readonly cores: number;
  readonly runtime: string;
  readonly system: string;
  readonly memory: number;
  /** Of the cluster that this process is one of; none when it is alone. */
  readonly silos: readonly { readonly name: string; readonly address: string; readonly status: string; readonly runs: number; readonly isHere: boolean }[];
  readonly samples: { readonly last: number; readonly seq: number[] } & Record<Column, (number | null)[]>;
}

type Column = 'wall' | 'processor' | 'resident' | 'managed' | 'collections' | 'threads' | 'queue' | 'viewers' | 'frames' | 'dropped' | 'bytes';

const names: readonly Column[] = ['wall', 'processor', 'resident', 'managed', 'collections', 'threads', 'queue', 'viewers', 'frames', 'dropped', 'bytes'];
const most = 3600;

/** The process behind the pages: how hard it works, and what the pages themselves cost it. */
export function SystemPage() {
  const [state, setState] = useState<{ about: SystemAnswer; columns: Record<Column, (number | null)[]> } | null>(null);
  const [problem, setProblem] = useState('');
  useEffect(() => {
    const columns = Object.fromEntries(names.map((name) => [name, [] as (number | null)[]])) as Record<Column, (number | null)[]>;
    let [last, over] = [0, false];
    let timer: ReturnType<typeof setTimeout>;
    const read = async () => {
      try {
        if (!document.hidden || last === 0) {
          const about = await document_<SystemAnswer>(`v1/dashboard/system?after=${last}`);
          if (about.samples.last < last) names.forEach((name) => (columns[name].length = 0));
          for (const name of names) {
            columns[name].push(...about.samples[name]);
            if (columns[name].length > most) columns[name].splice(0, columns[name].length - most);
          }
          last = about.samples.last;
          setState({ about, columns });
        }
        setProblem('');
      } catch (reason) {
        setProblem(reason instanceof Error ? reason.message : String(reason));
      }
      if (!over) timer = setTimeout(() => void read(), 1000);
    };
    void read();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, []);

  const c = state?.columns;
  const x = c?.wall ?? [];
  const common = { xLabel: 'time since this process began', xFormat: duration, zero: true, empty: 'The first sample comes after a second.' };
  return (
    <section aria-labelledby="system-title">
      <h1 id="system-title">System</h1>
      <p class="note">The process that serves these pages: how hard it works, and what the pages themselves cost it. Viewers never slow training down: a slow one is spared frames instead.</p>
      {problem && <p class="banner" role="status"><strong>What you see is not current.</strong> {problem}</p>}
      {state && c && (
        <>
          <dl class="figures">
            <Figure label="Processor" value={`${short(c.processor.at(-1))} of ${state.about.cores}`} hint="cores in use" />
            <Figure label="Memory" value={bytes(c.resident.at(-1))} hint={`${bytes(c.managed.at(-1))} managed, of ${bytes(state.about.memory)}`} />
            <Figure label="Threads" value={whole(c.threads.at(-1))} hint={`${whole(c.queue.at(-1))} work items wait`} />
            <Figure label="Viewers" value={whole(c.viewers.at(-1))} hint="watching a run now" />
            <Figure label="Frames" value={`${short(c.frames.at(-1))}/s`} hint={`${bytes(c.bytes.at(-1))}/s, ${short(c.dropped.at(-1))}/s spared`} />
            <Figure label="Silos" value={whole(Math.max(1, state.about.silos.length))} hint={state.about.silos.length === 0 ? 'one process, no cluster' : `${whole(state.about.silos.filter((s) => s.status === 'active').length)} active`} />
          </dl>
          <div class="grid two">
            <LineChart title="Processor" note="Cores in use. Training should have most of them." series={[{ label: 'cores', colour: 0, x, y: c.processor }]} yFormat={short} mark={{ y: state.about.cores, label: `${state.about.cores} cores` }} {...common} />
            <LineChart title="Memory" note="Resident is what the operating system counts; managed is what the program holds. Both should level off." series={[{ label: 'resident', colour: 0, x, y: c.resident }, { label: 'managed', colour: 2, x, y: c.managed }]} yFormat={bytes} {...common} />
            <LineChart title="Frames to viewers" note="Frames sent per second, and frames that slow viewers were spared; they read the gap when they can." series={[{ label: 'sent', colour: 2, x, y: c.frames }, { label: 'spared', colour: 1, x, y: c.dropped }]} yFormat={short} {...common} />
            <LineChart title="Queue" note="Work items that wait for a thread; a line that stays above zero means that the machine cannot keep up." series={[{ label: 'waiting', colour: 4, x, y: c.queue }]} yFormat={short} {...common} />
          </div>
          <div class="card silos">
            <h3>Silos</h3>
            {state.about.silos.length === 0
              ? <p class="note">This coordinator is one process by itself: all runs and clients are here. In a cluster, each silo, what it hosts and whether it is well stand here.</p>
              : (
                <>
                  <p class="note">The processes of the cluster. Each run is hosted by one of them; when that one is gone, another takes the run up. The charts above are of the one that serves this page.</p>
                  <div class="table-box" tabIndex={0} role="region" aria-label="Silos of the cluster">
                    <table>
                      <thead><tr>{['Silo', 'State', 'Runs', 'Address'].map((h) => <th key={h} scope="col">{h}</th>)}</tr></thead>
                      <tbody>{state.about.silos.map((silo) => (
                        <tr key={silo.address}>
                          <td>{silo.name || silo.address}{silo.isHere && <span class="faint"> (serves this page)</span>}</td>
                          <td><span class={`status ${silo.status === 'active' ? 'running' : 'paused'}`}><span aria-hidden="true">{silo.status === 'active' ? '●' : '○'}</span> {silo.status}</span></td>
                          <td>{whole(silo.runs)}</td><td>{silo.address}</td>
                        </tr>
                      ))}</tbody>
                    </table>
                  </div>
                </>
              )}
          </div>
          <p class="faint">{state.about.runtime} · {state.about.system}</p>
        </>
      )}
    </section>
  );
}
