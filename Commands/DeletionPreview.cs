using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>What <c>object delete --dry-run</c> tells: what would be removed, what is in a collection before it.</summary>
/// <param name="options">Token.</param>
/// <param name="session">The run.</param>
internal sealed class DeletionPreview(TransferOptions options, Session session)
{
    /// <summary>Tells it for one word of the command line.</summary>
    /// <param name="url">The object or collection.</param>
    /// <param name="recursive">Whether what is in a collection would go with it.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="PelicanException">It would not be removed.</exception>
    public async Task TellAsync(ObjectUrl url, bool recursive, CancellationToken cancellationToken)
    {
        if (!(await session.Federation.StatAsync(url.Text, options, [], cancellationToken)).IsCollection)
        {
            Tell(url);
            return;
        }

        // Each collection twice: on its way down, and when all in it has been told.
        Stack<(ObjectUrl Url, bool Told)> frontier = new([(url, false)]);
        while (frontier.TryPop(out (ObjectUrl Url, bool Told) next))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (next.Told)
            {
                Tell(next.Url);
                continue;
            }

            frontier.Push((next.Url, true));
            IReadOnlyList<ObjectInfo> listing = await session.Federation.ListAsync(next.Url.Text, options, cancellationToken);
            if (listing.Count > 0 && !recursive)
            {
                throw Faults.NotEmpty(url.Path);
            }

            foreach (ObjectInfo info in listing.OrderBy(info => info.Name, StringComparer.Ordinal))
            {
                ObjectUrl below = next.Url.Below(info.Name);
                if (info.IsCollection)
                {
                    frontier.Push((below, false));
                }
                else
                {
                    Tell(below);
                }
            }
        }
    }

    private void Tell(ObjectUrl url)
    {
        if (session.Json)
        {
            session.Output.Json(new PlanReport("delete", url.Path.Decoded), PelicanJson.Output.PlanReport);
        }
        else
        {
            session.Output.Line($"DELETE: {url.Path.Decoded}");
        }
    }
}
