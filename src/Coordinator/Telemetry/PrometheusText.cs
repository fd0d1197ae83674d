using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Federated.Coordinator.Telemetry;

/// <summary>Collects the instruments of meters and shows them as Prometheus text (exposition format 0.0.4).</summary>
/// <remarks>
/// Names follow the OpenTelemetry rule: dots become underscores, the unit is appended, counters end in <c>_total</c>.
/// A listener hears the whole process; meters are chosen by identity, since a second coordinator in the process has meters of the same names.
/// </remarks>
public sealed class PrometheusText : IDisposable
{
    private static readonly double[] Bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    // Labels of one tag are of few kinds, and written at every request.
    private static readonly ConcurrentDictionary<(string Name, string Value), string> Known = new();

    private readonly MeterListener listener = new();
    private readonly Lock rendering = new();
    private readonly ConcurrentDictionary<string, Family> families = new(StringComparer.Ordinal);

    /// <param name="isShown">Chooses the meters.</param>
    public PrometheusText(Func<Meter, bool> isShown)
    {
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (isShown(instrument.Meter))
            {
                var isCounter = instrument.GetType().Name.Contains("Counter", StringComparison.Ordinal) && !instrument.GetType().Name.StartsWith("UpDown", StringComparison.Ordinal);
                var isHistogram = instrument.GetType().Name.StartsWith("Histogram", StringComparison.Ordinal);
                var family = families.GetOrAdd(
                    NameOf(instrument, isCounter), name => new Family(name, instrument.Description ?? "", isHistogram ? "histogram" : isCounter ? "counter" : "gauge"));
                l.EnableMeasurementEvents(instrument, (family, instrument.IsObservable));
            }
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, state) => Record(state, value, tags));
        listener.SetMeasurementEventCallback<int>((_, value, tags, state) => Record(state, value, tags));
        listener.SetMeasurementEventCallback<double>((_, value, tags, state) => Record(state, value, tags));
        listener.Start();
    }

    public string Render()
    {
        lock (rendering) // What is observed is forgotten and observed anew: not while another looks.
        {
            return RenderAll();
        }
    }

    public void Dispose() => listener.Dispose();

    private string RenderAll()
    {
        foreach (var family in families.Values)
        {
            family.ForgetObserved();
        }

        listener.RecordObservableInstruments();
        var text = new StringBuilder();
        foreach (var family in families.Values.OrderBy(f => f.Name, StringComparer.Ordinal))
        {
            family.Render(text);
        }

        return text.ToString();
    }

    private static void Record(object? state, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var (family, isObserved) = ((Family, bool))state!;
        family.Record(value, LabelsOf(tags), isObserved);
    }

    private static string LabelsOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.Length == 0)
        {
            return "";
        }

        if (tags is [{ Value: string single } only])
        {
            return Known.GetOrAdd((only.Key, single), static key => Render([new KeyValuePair<string, object?>(key.Name, key.Value)]));
        }

        return Render(tags);
    }

    private static string Render(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in tags)
        {
            var escaped = Convert.ToString(value, CultureInfo.InvariantCulture)!
                .Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
            text.Append(text.Length > 0 ? "," : "").Append(Clean(name)).Append("=\"").Append(escaped).Append('"');
        }

        return text.ToString();
    }

    private static string NameOf(Instrument instrument, bool isCounter)
    {
        var unit = instrument.Unit switch { "s" => "_seconds", "By" => "_bytes", "1" => "_ratio", _ => "" };
        return Clean(instrument.Name) + unit + (isCounter ? "_total" : "");
    }

    private static string Clean(string name) => new([.. name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_')]);

    private sealed class Family(string name, string help, string type)
    {
        private readonly Lock gate = new();
        private readonly SortedDictionary<string, Series> series = new(StringComparer.Ordinal);

        public string Name => name;

        public void Record(double value, string labels, bool isObserved)
        {
            lock (gate)
            {
                if (!series.TryGetValue(labels, out var one))
                {
                    series.Add(labels, one = new Series { IsObserved = isObserved, Buckets = type == "histogram" ? new long[Bounds.Length] : [] });
                }

                one.Value = isObserved ? value : one.Value + value;
                if (type == "histogram")
                {
                    one.Count++;
                    for (var i = 0; i < Bounds.Length; i++)
                    {
                        one.Buckets[i] += value <= Bounds[i] ? 1 : 0;
                    }
                }
            }
        }

        /// <summary>What is observed is observed anew: a run that was deleted shows no more.</summary>
        public void ForgetObserved()
        {
            lock (gate)
            {
                foreach (var labels in series.Where(s => s.Value.IsObserved).Select(s => s.Key).ToList())
                {
                    series.Remove(labels);
                }
            }
        }

        public void Render(StringBuilder text)
        {
            lock (gate)
            {
                if (series.Count == 0)
                {
                    return;
                }

                text.Append("# HELP ").Append(name).Append(' ').Append(help).Append("\n# TYPE ").Append(name).Append(' ').Append(type).Append('\n');
                foreach (var (labels, one) in series)
                {
                    if (type == "histogram")
                    {
                        for (var i = 0; i < Bounds.Length; i++)
                        {
                            Sample(text, "_bucket", Join(labels, $"le=\"{Bounds[i].ToString(CultureInfo.InvariantCulture)}\""), one.Buckets[i]);
                        }

                        Sample(text, "_bucket", Join(labels, "le=\"+Inf\""), one.Count);
                        Sample(text, "_sum", labels, one.Value);
                        Sample(text, "_count", labels, one.Count);
                    }
                    else
                    {
                        Sample(text, "", labels, one.Value);
                    }
                }
            }
        }

        private static string Join(string labels, string more) => labels.Length > 0 ? $"{labels},{more}" : more;

        private void Sample(StringBuilder text, string suffix, string labels, double value)
        {
            text.Append(name).Append(suffix);
            if (labels.Length > 0)
            {
                text.Append('{').Append(labels).Append('}');
            }

            text.Append(' ').Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
        }
    }

    private sealed class Series
    {
        public bool IsObserved { get; init; }

        public long[] Buckets { get; init; } = [];

        public double Value { get; set; }

        public long Count { get; set; }
    }
}
