using Pelican.ClientApi;

namespace Pelican.Examples;

/// <summary>Downloads one object as a job and waits for its end.</summary>
public static class Example
{
    /// <summary>Runs it.</summary>
    /// <param name="socketPath">Socket of the server; empty for the usual one.</param>
    /// <param name="output">What it has to say.</param>
    /// <param name="cancellationToken">Ends the waiting, not the job.</param>
    public static async Task RunAsync(string socketPath, TextWriter output, CancellationToken cancellationToken)
    {
        using ApiClient client = new(socketPath);
        if (!await client.IsServerRunningAsync(cancellationToken))
        {
            await output.WriteLineAsync("Server is not running. Start with: pelican client-api serve");
            return;
        }

        TransferRequest[] transfers = [new("get", "osdf:///osgconnect/public/example.txt", "/tmp/example.txt")];
        JobOptions options = new() { Token = "/path/to/token" };
        JobCreated job = await client.CreateJobAsync(transfers, options, cancellationToken);
        await output.WriteLineAsync($"Created job: {job.JobId}");

        JobStatus end = await client.WaitForJobAsync(job.JobId, TimeSpan.FromMinutes(5), cancellationToken);
        await output.WriteLineAsync(end.Status == JobStates.Completed
            ? $"Job completed: {end.Progress.BytesTransferred} bytes transferred"
            : $"Job is {end.Status}: {end.Error}");
    }
}
