using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using OrleansSessions.Client.Frames;
using OrleansSessions.Client.Questions;
using OrleansSessions.Protocol;

namespace OrleansSessions.Client.Http;

/// <summary>The HTTP requests of one session.</summary>
internal sealed class SessionApi(string session, SessionAddresses addresses, SessionClientOptions options, HttpMessageInvoker invoker)
{
    /// <summary>Reads a question, or returns null if the server has none with this id.</summary>
    /// <exception cref="SessionRefusedException">The server refused the request.</exception>
    /// <exception cref="HttpRequestException">The server cannot be reached.</exception>
    public Task<StoredQuestion?> GetQuestionAsync(string id, CancellationToken cancellationToken) =>
        GetAsync(addresses.Api("/questions/" + id), ReadQuestion, cancellationToken);

    /// <summary>Reads the last questions, oldest first. A session that the server does not know has none.</summary>
    /// <inheritdoc cref="GetQuestionAsync" path="/exception"/>
    public async Task<IReadOnlyList<StoredQuestion>> GetHistoryAsync(int limit, CancellationToken cancellationToken) =>
        await GetAsync(
            addresses.Api("/questions", $"limit={limit.ToString(CultureInfo.InvariantCulture)}"),
            json => json.GetProperty("questions").EnumerateArray().Select(ReadQuestion).ToList(), cancellationToken).ConfigureAwait(false) ?? [];

    private async Task<T?> GetAsync<T>(Uri address, Func<JsonElement, T> read, CancellationToken cancellationToken) where T : class
    {
        using var timeout = new CancellationTokenSource(options.RequestTimeout, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            await AuthorizeAsync(request.Headers, either.Token).ConfigureAwait(false);
            using var response = await invoker.SendAsync(request, either.Token).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
            {
                var refusal = await Problems.ReadAsync(response, either.Token).ConfigureAwait(false);
                return refusal.IsAbsent() ? null : throw refusal;
            }

            using var document = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(either.Token).ConfigureAwait(false));
            return read(document.RootElement);
        }
        catch (OperationCanceledException fault) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException(
                HttpRequestError.ConnectionError, $"The server did not answer {address.AbsolutePath} within {options.RequestTimeout}.", fault);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new HttpRequestException(HttpRequestError.InvalidResponse, $"The answer to {address.AbsolutePath} is not of this protocol.", fault);
        }
    }

    private async ValueTask AuthorizeAsync(HttpRequestHeaders headers, CancellationToken cancellationToken)
    {
        foreach (var (name, value) in options.Headers)
        {
            headers.TryAddWithoutValidation(name, value);
        }

        if (options.Token is not null && await options.Token(cancellationToken).ConfigureAwait(false) is { Length: > 0 } token)
        {
            headers.Authorization = new("Bearer", token);
        }
    }

    private StoredQuestion ReadQuestion(JsonElement json)
    {
        var id = json.NeedText("question_id");
        var status = JsonFields.ToStatus(json.NeedText("state"));
        var text = json.Text("text") ?? "";
        return new()
        {
            Id = id,
            Question = json.Text("question") ?? "",
            Status = status,
            Text = text,
            End = status.IsFinal() ? Ends.Of(id, json.ReadEnd(status)) with { Text = text } : null,
            AskedAt = json.Find("asked_at")?.GetDateTimeOffset() ?? default,
            Position = new()
            {
                Session = session,
                QuestionId = id,
                Epoch = json.Text("epoch") ?? "",
                Seq = json.Number("done_seq") ?? json.Number("accepted_seq") ?? 0,
                Deltas = (int)(json.Number("deltas") ?? 0),
                Bytes = json.Number("bytes") ?? 0,
            },
        };
    }
}
