using System.Collections;

namespace Pelican.Federation;

/// <summary>The requests of a server in the order of their arrival, tokens included.</summary>
public sealed class RequestLog : IEnumerable<Request>
{
    private readonly Lock _lock = new();
    private readonly List<Request> _requests = [];
    private readonly List<(Func<Request, bool> Match, TaskCompletionSource<Request> Found)> _waiting = [];

    /// <summary>Requests so far that match.</summary>
    public int Count(Func<Request, bool> match) => Snapshot().Count(match);

    /// <summary>The first request, past or to come, that matches.</summary>
    public async Task<Request> WaitForAsync(Func<Request, bool> match, CancellationToken cancellationToken)
    {
        TaskCompletionSource<Request> found = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_requests.Find(request => match(request)) is { } earlier)
            {
                return earlier;
            }

            _waiting.Add((match, found));
        }

        return await found.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Forgets what was.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _requests.Clear();
        }
    }

    public IEnumerator<Request> GetEnumerator() => ((IEnumerable<Request>)Snapshot()).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal void Add(Request request)
    {
        lock (_lock)
        {
            _requests.Add(request);
            foreach ((Func<Request, bool> match, TaskCompletionSource<Request> found) in _waiting)
            {
                if (match(request))
                {
                    found.TrySetResult(request);
                }
            }

            _waiting.RemoveAll(waiter => waiter.Found.Task.IsCompleted);
        }
    }

    private Request[] Snapshot()
    {
        lock (_lock)
        {
            return [.. _requests];
        }
    }
}
