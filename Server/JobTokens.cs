using System.Text.Json;
using Pelican.ClientApi;
using Pelican.Json;

namespace Pelican.Server;

/// <summary>Files with tokens that were made for one job alone: they go with it (<see cref="JobOptions.ForgetToken"/>).</summary>
internal static class JobTokens
{
    /// <summary>Name of the directory, beside the database, in which the command line makes them.</summary>
    public const string Folder = "tokens";

    /// <summary>No token is good for so long: a file that nobody removed, because something was killed at that moment, is of no use.</summary>
    private static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    /// <summary>Removes the file of a job that is over.</summary>
    /// <param name="options">Options of the job, JSON; null for none.</param>
    public static void Forget(string? options)
    {
        if (options is not null
            && JsonSerializer.Deserialize(options, PelicanJson.Default.JobOptions) is { ForgetToken: true, Token: { } file })
        {
            TryDelete(file);
        }
    }

    /// <summary>Removes files that were forgotten to be removed.</summary>
    /// <param name="folder">Where they are.</param>
    /// <param name="now">The time.</param>
    public static void RemoveOld(string folder, DateTimeOffset now)
    {
        try
        {
            foreach (string file in Directory.EnumerateFiles(folder).Where(file => File.GetLastWriteTimeUtc(file) < now.UtcDateTime - Kept))
            {
                TryDelete(file);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // There is none, mostly.
        }
    }

    private static void TryDelete(string file)
    {
        try
        {
            File.Delete(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It stays for RemoveOld.
        }
    }
}
