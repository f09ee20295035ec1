package calculate;

import java.util.concurrent.CompletableFuture;

/** The future of an asynchronous call. Cancelling it abandons the call. */
final class CallFuture<R> extends CompletableFuture<R> {
  private final Call<?, R> call;

  CallFuture(Call<?, R> call) {
    this.call = call;
  }

  @Override
  public boolean cancel(boolean mayInterruptIfRunning) {
    boolean cancelled = super.cancel(mayInterruptIfRunning);
    if (cancelled) {
      call.cancelled();
    }
    return cancelled;
  }

  @Override
  public <U> CompletableFuture<U> newIncompleteFuture() {
    return new CompletableFuture<>();
  }
}
