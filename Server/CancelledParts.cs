using System.Text.Json;
using Microsoft.Extensions.Logging;
using Pelican.ClientApi;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>What the downloads of a cancelled job had received before it was interrupted: nobody goes on with it.</summary>
internal static partial class CancelledParts
{
    /// <summary>Removes it.</summary>
    public static void Remove(JobRecord job, ClientSettings settings, ILogger logger)
    {
        JobOptions? wanted = job.Job.Options is { } text ? JsonSerializer.Deserialize(text, PelicanJson.Default.JobOptions) : null;
        foreach (TransferRow transfer in job.Transfers.Where(one => one is { State: JobState.Cancelled, StartedAt: not null, CompletedAt: not null }))
        {
            if (JobRequestCheck.DirectionOf(transfer.Operation, transfer.Source) != Direction.Download)
            {
                continue;
            }

            string place = transfer.Destination!;
            try
            {
                ObjectUrl url = ObjectUrl.Parse(JobOptionsReader.UrlOf(transfer.Source, wanted), settings);
                string directory = Directory.Exists(place) ? place : Path.GetDirectoryName(place.TrimEnd('/'))!;
                if (Directory.Exists(directory))
                {
                    PartClaim.Remove(directory, url.Key, transfer.Recursive || url.Recursive, transfer.CompletedAt!.Value);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or PelicanException)
            {
                Log.Left(logger, job.Job.Id, place, e.Message);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Job {Job}: what was received for {Place} stays there as a hidden part: {Fault}.")]
        public static partial void Left(ILogger logger, string job, string place, string fault);
    }
}
