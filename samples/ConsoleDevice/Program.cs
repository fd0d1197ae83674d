using ConsoleDevice;
using Federated.Client;

// console-device URL RUN STATE-FOLDER READINGS.csv [ENROLMENT-TOKEN]
if (args is not [var url, var run, var state, var readings, ..])
{
    Console.Error.WriteLine("usage: console-device URL RUN STATE-FOLDER READINGS.csv [ENROLMENT-TOKEN]");
    return 2;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    stop.Cancel();
};

try
{
    // These three lines are all that a device needs beside its trainer.
    var trainer = new SoftmaxTrainer(Readings.Load(readings));
    await using var client = FederatedClient.Connect(new Uri(url), run, state, args.ElementAtOrDefault(4) ?? "");
    var summary = await client.RunAsync(trainer, stop.Token);

    Console.WriteLine($"{summary.Accepted} updates accepted; {summary.Reason}");
    return 0;
}
catch (Exception e) when (e is ClientException or IOException or FormatException)
{
    Console.Error.WriteLine($"console-device: {e.Message}"); // A UriFormatException is a FormatException.
    return 1;
}
